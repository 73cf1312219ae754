"""Which webhooks want to hear of a request."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.webhooks.test_configurations import source

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import Resource
from bookmesh.kube.api import admission
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
    ],
)
def test_rules(rule: dict[str, Any], asked: dict[str, Any], expected: bool) -> None:
    found = matching.matched_resource(webhook(rules=[{**RULE, **rule}]), request(**asked), [])
    assert found == (kubernetes.DEPLOYMENTS if expected else None)


def test_any_rule_will_do() -> None:
    rules = [{**RULE, "resources": ["pods"]}, RULE]
    assert matching.matched_resource(webhook(rules=rules), request(), []) == kubernetes.DEPLOYMENTS
    assert matching.matched_resource(webhook(rules=[]), request(), []) is None


def test_another_version_is_as_good_unless_it_must_be_exact() -> None:
    other = Resource("apps", "v2", "deployments")
    asked = request(resource=other)
    assert matching.matched_resource(webhook(), asked, [kubernetes.DEPLOYMENTS]) == kubernetes.DEPLOYMENTS
    exact = webhook(matchPolicy="Exact")
    assert matching.matched_resource(exact, asked, [kubernetes.DEPLOYMENTS]) is None


def test_selectors() -> None:
    place = webhook(namespaceSelector={"matchLabels": {"team": "shop"}})
    assert matching.is_selected(place, request(), {"team": "shop"})
    assert not matching.is_selected(place, request(), {})
    assert matching.is_selected(place, request(namespace=""), None)
    thing = webhook(objectSelector={"matchLabels": {"app": "web"}})
    assert matching.is_selected(thing, request(), {})
    other = {"metadata": {}}
    assert not matching.is_selected(thing, request(object=other), {})
    old = {"metadata": {"labels": {"app": "web"}}}
    assert matching.is_selected(thing, request(object=other, old=old), {})


def conditions(*texts: str) -> list[dict[str, str]]:
    return [{"name": f"c{index}", "expression": text} for index, text in enumerate(texts)]


def test_conditions() -> None:
    asked = {"operation": "UPDATE", "object": {"data": {}}, "oldObject": None}
    assert matching.meets_conditions(webhook(), asked)
    holds, fails = "request.operation == 'UPDATE' && oldObject == null", "has(object.data.x)"
    assert matching.meets_conditions(webhook(matchConditions=conditions(holds)), asked)
    assert not matching.meets_conditions(webhook(matchConditions=conditions(holds, fails)), asked)


def test_a_condition_that_breaks_counts_only_when_none_is_false() -> None:
    asked = {"operation": "UPDATE", "object": {"data": {}}}
    broken = webhook(matchConditions=conditions("object.data.x == 'y'", "true"))
    with pytest.raises(matching.ConditionError, match="no such key: x"):
        matching.meets_conditions(broken, asked)
    false = webhook(matchConditions=conditions("object.data.x == 'y'", "false"))
    assert not matching.meets_conditions(false, asked)
