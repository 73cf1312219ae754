"""Which rule of an audit policy is for which request, and what is refused as a policy."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bookmesh.kube.schema import audit_policies
from bookmesh.kube.schema.audit_policies import Asked

PODS = Asked("jane", ("dev", "all"), "get", resource="pods", namespace="shop", name="web")
LOGS = dataclasses.replace(PODS, subresource="log")
DEPLOYMENTS = Asked("jane", ("dev",), "list", group="apps", resource="deployments", namespace="shop")
NODES = Asked("jane", (), "list", resource="nodes")
HEALTH = Asked("jane", (), "get", path="/healthz/ping")


def policy(*rules: dict[str, Any], **more: Any) -> audit_policies.Policy:
    document = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more}
    return audit_policies.Policy(document)


def pods(*names: str, **more: Any) -> dict[str, Any]:
    return {"resources": [{"group": "", "resources": list(names), **more}]}


@pytest.mark.parametrize(
    ("rule", "asked", "matches"),
    [
        ({}, PODS, True),
        ({}, HEALTH, True),
        ({"users": ["jane"]}, PODS, True),
        ({"users": ["joe"]}, PODS, False),
        ({"userGroups": ["ops", "all"]}, PODS, True),
        ({"userGroups": ["ops"]}, PODS, False),
        ({"verbs": ["get", "list"]}, PODS, True),
        ({"verbs": ["watch"]}, PODS, False),
        ({"namespaces": ["shop"]}, PODS, True),
        ({"namespaces": ["other"]}, PODS, False),
        ({"namespaces": [""]}, NODES, True),
        ({"namespaces": [""]}, HEALTH, False),
        (pods("pods"), PODS, True),
        (pods("pods"), LOGS, False),
        (pods("pods/log"), LOGS, True),
        (pods("pods/*"), LOGS, True),
        (pods("pods/*"), PODS, True),
        (pods("*/log"), LOGS, True),
        (pods("*/log"), PODS, False),
        (pods("*"), LOGS, True),
        (pods("pods", resourceNames=["web"]), PODS, True),
        (pods("pods", resourceNames=["other"]), PODS, False),
        (pods("pods"), DEPLOYMENTS, False),
        ({"resources": [{"group": "apps"}]}, DEPLOYMENTS, True),
        ({"resources": [{"group": "*", "resources": ["deployments"]}]}, DEPLOYMENTS, True),
        (pods("pods"), HEALTH, False),
        ({"nonResourceURLs": ["/healthz*"]}, HEALTH, True),
        ({"nonResourceURLs": ["/healthz"]}, HEALTH, False),
        ({"nonResourceURLs": ["*"]}, HEALTH, True),
        ({"nonResourceURLs": ["*"]}, PODS, False),
    ],
)
def test_a_rule_is_for_a_request(rule: dict[str, Any], asked: Asked, matches: bool) -> None:
    found = policy({"level": "Metadata", **rule}).treatment_of(asked)
    assert found.level == ("Metadata" if matches else "None")


def test_the_first_rule_decides_and_stages_add_up() -> None:
    found = policy(
        {"level": "Request", "verbs": ["get"], "omitStages": ["ResponseStarted"], "omitManagedFields": False},
        {"level": "None"},
        omitStages=["RequestReceived"],
        omitManagedFields=True,
    )
    first = found.treatment_of(PODS)
    assert (first.level, first.omitted) == ("Request", {"RequestReceived", "ResponseStarted"})
    assert first.has_managed_fields
    assert first.includes("Metadata")
    assert first.includes("Request")
    assert not first.includes("RequestResponse")
    second = found.treatment_of(NODES)
    assert (second.level, second.has_managed_fields) == ("None", False)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"level": ""}, "rules[0].level: Required value"),
        ({"level": "All"}, 'rules[0].level: Unsupported value: "All"'),
        ({"level": "None", "verb": ["get"]}, 'unknown field "rules[0].verb"'),
        ({"level": "None", "verbs": "get"}, "rules[0].verbs: Invalid value: must be a list of strings"),
        ({"level": "None", "omitStages": ["x"]}, "allowed stages are RequestReceived,ResponseStarted"),
        ({"level": "None", "omitManagedFields": "yes"}, "rules[0].omitManagedFields"),
        ({"level": "None", "nonResourceURLs": ["healthz"]}, "must begin with a '/' character"),
        ({"level": "None", "nonResourceURLs": ["/a*b"]}, "must be the final character of the rule"),
        ({"level": "None", "nonResourceURLs": ["/a"], "namespaces": ["b"]}, "both regular resources"),
        ({"level": "None", "resources": ["pods"]}, "rules[0].resources[0]: Invalid value"),
        ({"level": "None", "resources": [{"group": "apps/v1"}]}, "a group has no version"),
        ({"level": "None", "resources": [{"resourceNames": ["a"]}]}, "requires at least one resource"),
        ({"level": "None", "resources": {"group": ""}}, "rules[0].resources: Invalid value: must be a list"),
    ],
)
def test_a_wrong_rule_is_told(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        policy(rule)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "a policy is a YAML mapping"),
        ({"apiVersion": "v1", "kind": "Policy", "rules": [{"level": "None"}]}, "are not audit.k8s.io/v1"),
        ({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": []}, "rules: Required value"),
        ({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": ["x"]}, "rules[0]: Invalid value"),
        ({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rule": []}, 'unknown field "rule"'),
    ],
)
def test_what_is_no_policy_is_told(document: Any, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        audit_policies.Policy(document)
    assert said in str(caught.value)
