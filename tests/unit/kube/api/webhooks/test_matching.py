"""Which webhooks want to hear of a request."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.webhooks.test_configurations import source

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import Resource
from bookmesh.kube.api import admission, authorization, verbs
from bookmesh.kube.api.webhooks import configurations, matching

RULE: dict[str, Any] = {
    "apiGroups": ["apps"],
    "apiVersions": ["v1"],
    "operations": ["UPDATE"],
    "resources": ["deployments"],
    "scope": "*",
}


def request(**changed: Any) -> admission.AdmissionRequest:
    values: dict[str, Any] = {
        "operation": "UPDATE",
        "resource": kubernetes.DEPLOYMENTS,
        "namespace": "default",
        "name": "web",
        "object": {"metadata": {"labels": {"app": "web"}}},
        **changed,
    }
    return admission.AdmissionRequest(**values)


def webhook(**changed: Any) -> configurations.Webhook:
    return configurations.parse(source("a", **{"rules": [RULE], **changed}))


@pytest.mark.parametrize(
    ("rule", "asked", "expected"),
    [
        ({}, {}, True),
        ({"operations": ["CREATE", "DELETE"]}, {}, False),
        ({"operations": ["*"]}, {}, True),
        ({"apiGroups": [""]}, {}, False),
        ({"apiGroups": ["*"], "apiVersions": ["*"]}, {}, True),
        ({"apiVersions": ["v1beta1"]}, {}, False),
        ({"resources": ["*"]}, {}, True),
        ({"resources": ["*"]}, {"subresource": "status"}, False),
        ({"resources": ["deployments"]}, {"subresource": "status"}, False),
        ({"resources": ["deployments/status"]}, {"subresource": "status"}, True),
        ({"resources": ["deployments/*"]}, {"subresource": "scale"}, True),
        ({"resources": ["*/scale"]}, {"subresource": "scale"}, True),
        ({"resources": ["*/*"]}, {"subresource": "scale"}, True),
        ({"resources": ["*/*"]}, {}, True),
        ({"resources": ["pods"]}, {}, False),
        ({"scope": "Namespaced"}, {}, True),
        ({"scope": "Cluster"}, {}, False),
        ({"scope": "Cluster"}, {"namespace": ""}, True),
        ({"scope": "Namespaced"}, {"namespace": ""}, False),
        ({"resourceNames": ["web"]}, {}, True),
        ({"resourceNames": ["other"]}, {}, False),
    ],
)
def test_rules(rule: dict[str, Any], asked: dict[str, Any], expected: bool) -> None:
    found = matching.matched_resource([{**RULE, **rule}], "Exact", request(**asked), [])
    assert found == (kubernetes.DEPLOYMENTS if expected else None)


def test_any_rule_will_do() -> None:
    rules = [{**RULE, "resources": ["pods"]}, RULE]
    assert matching.matched_resource(rules, "Exact", request(), []) == kubernetes.DEPLOYMENTS
    assert matching.matched_resource([], "Exact", request(), []) is None


def test_another_version_is_as_good_unless_it_must_be_exact() -> None:
    other = Resource("apps", "v2", "deployments")
    asked = request(resource=other)
    others = [kubernetes.DEPLOYMENTS]
    assert matching.matched_resource([RULE], "Equivalent", asked, others) == kubernetes.DEPLOYMENTS
    assert matching.matched_resource([RULE], "Exact", asked, others) is None


def test_selectors() -> None:
    place = {"namespaceSelector": {"matchLabels": {"team": "shop"}}}
    assert matching.is_selected(place, request(), {"team": "shop"})
    assert not matching.is_selected(place, request(), {})
    assert matching.is_selected(place, request(namespace=""), None)
    thing = {"objectSelector": {"matchLabels": {"app": "web"}}}
    assert matching.is_selected(thing, request(), {})
    other = {"metadata": {}}
    assert not matching.is_selected(thing, request(object=other), {})
    old = {"metadata": {"labels": {"app": "web"}}}
    assert matching.is_selected(thing, request(object=other, old=old), {})


def conditions(*texts: str) -> list[dict[str, str]]:
    return [{"name": f"c{index}", "expression": text} for index, text in enumerate(texts)]


def meets(given: configurations.Webhook, asked: dict[str, Any], over: verbs.Verbs) -> bool:
    authorizer = authorization.Authorizer(over.store)
    return matching.meets_conditions(given, request(), asked, authorizer)


def test_conditions(over: verbs.Verbs) -> None:
    asked = {"operation": "UPDATE", "object": {"data": {}}, "oldObject": None}
    assert meets(webhook(), asked, over)
    holds, fails = "request.operation == 'UPDATE' && oldObject == null", "has(object.data.x)"
    assert meets(webhook(matchConditions=conditions(holds)), asked, over)
    assert not meets(webhook(matchConditions=conditions(holds, fails)), asked, over)


def test_a_condition_that_breaks_counts_only_when_none_is_false(over: verbs.Verbs) -> None:
    asked = {"operation": "UPDATE", "object": {"data": {}}}
    broken = webhook(matchConditions=conditions("object.data.x == 'y'", "true"))
    with pytest.raises(matching.ConditionError, match="no such key: x"):
        meets(broken, asked, over)
    false = webhook(matchConditions=conditions("object.data.x == 'y'", "false"))
    assert not meets(false, asked, over)


def test_a_condition_may_ask_what_the_user_may_do(over: verbs.Verbs) -> None:
    asked = {"operation": "UPDATE", "object": {}}
    mine = webhook(matchConditions=conditions("authorizer.requestResource.check('delete').allowed()"))
    account = "authorizer.serviceAccount('default', 'x').path('/x').check('get').allowed()"
    assert meets(mine, asked, over)
    assert not meets(webhook(matchConditions=conditions(account)), asked, over)


def test_the_labels_of_a_namespace(over: verbs.Verbs) -> None:
    over.create(kubernetes.NAMESPACES, {"metadata": {"name": "shop", "labels": {"team": "shop"}}})
    labels = matching.namespace_labels(over.store, request(namespace="shop"))
    assert labels is not None
    assert labels["team"] == "shop"
    assert matching.namespace_labels(over.store, request(namespace="")) is None
    own = {"metadata": {"labels": {"a": "b"}}}
    about = request(resource=kubernetes.NAMESPACES, namespace="", object=own)
    assert matching.namespace_labels(over.store, about) == {"a": "b"}


def test_other_versions(over: verbs.Verbs) -> None:
    resource = Resource("autoscaling", "v2", "horizontalpodautoscalers")
    assert matching.equivalents(over.kinds, resource) == [
        Resource("autoscaling", "v1", "horizontalpodautoscalers")
    ]
