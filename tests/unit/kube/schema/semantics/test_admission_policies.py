"""What is wrong with policies and bindings."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema.semantics import admission_policies

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["pods"]}
GOOD: dict[str, Any] = {
    "matchConstraints": {"resourceRules": [RULE]},
    "validations": [{"expression": "true"}],
}
CHANGE = {"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}
GOOD_MUTATING: dict[str, Any] = {
    "matchConstraints": {"resourceRules": [RULE]},
    "mutations": [CHANGE],
    "reinvocationPolicy": "Never",
}


def test_good_ones() -> None:
    variables = [{"name": "a", "expression": "1"}, {"name": "b", "expression": "variables.a + 1"}]
    more = {
        "variables": variables,
        "validations": [{"expression": "variables.b == 2", "reason": "Forbidden"}],
    }
    assert admission_policies.check_validating({"spec": {**GOOD, **more}}, None) == []
    assert admission_policies.check_mutating({"spec": GOOD_MUTATING}, None) == []


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"validations": []}, "spec.validations", "Required value"),
        ({"matchConstraints": None}, "spec.matchConstraints", "Required value"),
        ({"matchConstraints": {}}, "spec.matchConstraints", "Required value"),
        ({"matchConstraints": {"matchPolicy": "Exact"}}, "spec.matchConstraints.resourceRules", "Required"),
        (
            {"matchConstraints": {"resourceRules": [{**RULE, "operations": ["X"]}]}},
            "spec.matchConstraints.resourceRules[0].operations[0]",
            "Unsupported value",
        ),
        ({"failurePolicy": "x"}, "spec.failurePolicy", "Unsupported value"),
        ({"paramKind": {"kind": "X"}}, "spec.paramKind.apiVersion", "Required value"),
        (
            {"matchConditions": [{"name": "a", "expression": "x"}]},
            "spec.matchConditions[0].expression",
            "undeclared",
        ),
        ({"variables": [{"name": "a-b", "expression": "1"}]}, "spec.variables[0].name", "not a valid CEL"),
        (
            {"variables": [{"name": "a", "expression": "variables.b"}, {"name": "b", "expression": "1"}]},
            "spec.variables[0].expression",
            "undefined field 'b'",
        ),
        ({"variables": [{"name": "a", "expression": "1"}] * 2}, "spec.variables[1].name", "Duplicate value"),
        ({"validations": [{"expression": "params.x"}]}, "spec.validations[0].expression", "'params'"),
        ({"validations": [{"expression": ""}]}, "spec.validations[0].expression", "Required value"),
        ({"validations": [{"expression": "1", "reason": "x"}]}, "spec.validations[0].reason", "Unsupported"),
        ({"validations": [{"expression": "1", "message": " "}]}, "spec.validations[0].message", "non-empty"),
        (
            {"validations": [{"expression": "1", "message": "a\nb"}]},
            "spec.validations[0].message",
            "line breaks",
        ),
        ({"validations": [{"expression": "1 ==\n1"}]}, "spec.validations[0].message", "Required value"),
        (
            {"auditAnnotations": [{"key": "a b", "valueExpression": "''"}]},
            "spec.auditAnnotations[0].key",
            "name part",
        ),
        (
            {"auditAnnotations": [{"key": "a", "valueExpression": "x"}]},
            "spec.auditAnnotations[0].valueExpression",
            "undeclared",
        ),
    ],
)
def test_validating(changed: dict[str, Any], field: str, message: str) -> None:
    (found,) = admission_policies.check_validating({"spec": {**GOOD, **changed}}, None)
    assert found.field == field
    assert message in found.message


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"mutations": []}, "spec.mutations"),
        ({"reinvocationPolicy": None}, "spec.reinvocationPolicy"),
        ({"mutations": [{**CHANGE, "jsonPatch": None}]}, "spec.mutations[0].jsonPatch.expression"),
        (
            {"mutations": [{**CHANGE, "applyConfiguration": {"expression": "Object{}"}}]},
            "spec.mutations[0].applyConfiguration",
        ),
        ({"mutations": [{"patchType": "x"}]}, "spec.mutations[0].patchType"),
    ],
)
def test_mutating(changed: dict[str, Any], field: str) -> None:
    (found,) = admission_policies.check_mutating({"spec": {**GOOD_MUTATING, **changed}}, None)
    assert found.field == field


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"policyName": ""}, "spec.policyName"),
        ({"validationActions": []}, "spec.validationActions"),
        ({"validationActions": ["x"]}, "spec.validationActions[0]"),
        ({"validationActions": ["Warn", "Warn"]}, "spec.validationActions[1]"),
        ({"validationActions": ["Warn", "Deny"]}, "spec.validationActions"),
        ({"paramRef": {"parameterNotFoundAction": "Deny"}}, "spec.paramRef.name"),
        ({"paramRef": {"name": "a"}}, "spec.paramRef.parameterNotFoundAction"),
        ({"matchResources": {"matchPolicy": "x"}}, "spec.matchResources.matchPolicy"),
    ],
)
def test_bindings(changed: dict[str, Any], field: str) -> None:
    spec = {"policyName": "a", "validationActions": ["Deny"], **changed}
    (found,) = admission_policies.check_binding(
        {"kind": "ValidatingAdmissionPolicyBinding", "spec": spec}, None
    )
    assert found.field == field
