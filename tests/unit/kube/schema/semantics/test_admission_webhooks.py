"""What is wrong with configurations of admission webhooks."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema.semantics import admission_webhooks

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
SERVICE = {"namespace": "default", "name": "hook", "port": 443, "path": "/check"}
WEBHOOK: dict[str, Any] = {
    "name": "pods.example.com",
    "admissionReviewVersions": ["v1"],
    "clientConfig": {"service": SERVICE},
    "rules": [RULE],
    "sideEffects": "None",
    "timeoutSeconds": 10,
}


def found(*webhooks: dict[str, Any]) -> list[tuple[str, str]]:
    causes = admission_webhooks.check_configuration({"webhooks": list(webhooks)}, None)
    return [(cause.field.removeprefix("webhooks[0]."), cause.message) for cause in causes]


def fields(**changed: Any) -> list[str]:
    return [field for field, _ in found({**WEBHOOK, **changed})]


def test_a_good_webhook() -> None:
    condition = {"name": "example.com/only-web", "expression": "object.kind == 'Pod'"}
    assert found({**WEBHOOK, "matchConditions": [condition]}) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "two.segments"}, ["name"]),
        ({"name": "Upper.example.com"}, ["name"]),
        ({"failurePolicy": "Maybe"}, ["failurePolicy"]),
        ({"matchPolicy": "Like"}, ["matchPolicy"]),
        ({"reinvocationPolicy": "Always"}, ["reinvocationPolicy"]),
        ({"sideEffects": "Some"}, ["sideEffects"]),
        ({"timeoutSeconds": 0}, ["timeoutSeconds"]),
        ({"timeoutSeconds": 31}, ["timeoutSeconds"]),
        ({"admissionReviewVersions": []}, ["admissionReviewVersions"]),
        ({"admissionReviewVersions": ["v9"]}, ["admissionReviewVersions"]),
        ({"rules": [{**RULE, "operations": ["READ"]}]}, ["rules[0].operations[0]"]),
        ({"rules": [{**RULE, "operations": ["*", "CREATE"]}]}, ["rules[0].operations"]),
        ({"rules": [{**RULE, "apiGroups": []}]}, ["rules[0].apiGroups"]),
        ({"rules": [{**RULE, "apiVersions": []}]}, ["rules[0].apiVersions"]),
        ({"rules": [{**RULE, "resources": []}]}, ["rules[0].resources"]),
        ({"rules": [{**RULE, "resources": [""]}]}, ["rules[0].resources[0]"]),
        ({"rules": [{**RULE, "resources": ["*", "pods"]}]}, ["rules[0].resources"]),
        ({"rules": [{**RULE, "resources": ["*", "pods/status"]}]}, []),
        ({"rules": [{**RULE, "resources": ["*/*", "pods"]}]}, ["rules[0].resources"]),
        ({"rules": [{**RULE, "scope": "Some"}]}, ["rules[0].scope"]),
        ({"namespaceSelector": {"matchLabels": {"-": "x"}}}, ["namespaceSelector.matchLabels"]),
        ({"objectSelector": {"matchLabels": {"a": "-"}}}, ["objectSelector.matchLabels"]),
        ({"clientConfig": {}}, ["clientConfig"]),
        ({"clientConfig": {"url": "https://a", "service": SERVICE}}, ["clientConfig"]),
        ({"clientConfig": {"service": {}}}, ["clientConfig.service.name", "clientConfig.service.namespace"]),
        ({"clientConfig": {"service": {**SERVICE, "port": 0}}}, ["clientConfig.service.port"]),
        ({"clientConfig": {"service": {**SERVICE, "path": "x"}}}, ["clientConfig.service.path"]),
        ({"clientConfig": {"url": "https://127.0.0.1:8443/x"}}, []),
        ({"clientConfig": {"url": "http://hooks.example.com"}}, ["clientConfig.url"]),
        ({"clientConfig": {"url": "https://a:port/"}}, ["clientConfig.url"]),
        ({"clientConfig": {"url": "https://me@a/?q#f"}}, ["clientConfig.url"] * 3),
        ({"clientConfig": {"url": "https:///x"}}, ["clientConfig.url"]),
        ({"matchConditions": [{"name": "", "expression": "true"}]}, ["matchConditions[0].name"]),
        ({"matchConditions": [{"name": "a", "expression": ""}]}, ["matchConditions[0].expression"]),
        ({"matchConditions": [{"name": "a", "expression": "true"}] * 2}, ["matchConditions[1].name"]),
        (
            {"matchConditions": [{"name": f"a{number}", "expression": "true"} for number in range(65)]},
            ["matchConditions"],
        ),
    ],
)
def test_fields_that_cannot_be(changed: dict[str, Any], expected: list[str]) -> None:
    assert fields(**changed) == expected


def test_names_are_unique() -> None:
    assert found(WEBHOOK, WEBHOOK) == [("webhooks[1].name", 'Duplicate value: "pods.example.com"')]


def test_the_words_are_those_of_a_real_server() -> None:
    assert dict(found({**WEBHOOK, "clientConfig": {"url": "http://a.example.com"}, "name": "a"})) == {
        "name": 'Invalid value: "a": should be a domain with at least three segments separated by dots',
        "clientConfig.url": "Invalid value: \"http\": 'https' is the only allowed URL scheme; "
        "desired format: https://host[/path]",
    }
