"""What does not hold is refused or told."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.policies import worlds

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import verbs
from bookmesh.kube.api.policies import validating

SMALL = {"expression": "int(object.data.size) < 5"}
DENIED = "ValidatingAdmissionPolicy 'few' with binding 'few-here' denied request: "


def validated(over: verbs.Verbs, **asked: Any) -> tuple[str, ...]:
    return validating.ValidatingPolicies(over.store, over.kinds).validate(worlds.request(**asked))


def test_without_policies_nothing_is_said(over: verbs.Verbs) -> None:
    assert validated(over) == ()


@pytest.mark.parametrize(
    ("validation", "code", "reason", "message"),
    [
        (SMALL, 422, "Invalid", "failed expression: int(object.data.size) < 5"),
        ({**SMALL, "message": "too big", "reason": "Forbidden"}, 403, "Forbidden", "too big"),
        ({**SMALL, "messageExpression": "'got ' + object.data.size"}, 422, "Invalid", "got 7"),
        ({**SMALL, "message": "too big", "messageExpression": "object.data.no"}, 422, "Invalid", "too big"),
        ({**SMALL, "message": "too big", "messageExpression": "'a\\nb'"}, 422, "Invalid", "too big"),
        (
            {"expression": "object.x"},
            422,
            "Invalid",
            "expression 'object.x' resulted in error: no such key: x",
        ),
    ],
)
def test_refused(over: verbs.Verbs, validation: Any, code: int, reason: str, message: str) -> None:
    worlds.lay_down(over, {"validations": [validation]})
    with pytest.raises(ApiError) as refused:
        validated(over)
    error = refused.value
    assert (error.code, error.reason) == (code, reason)
    assert error.message == f'configmaps "a" is forbidden: {DENIED}{message}'
    assert error.details == {
        "name": "a",
        "group": "",
        "kind": "configmaps",
        "causes": [{"message": f"{DENIED}{message}"}],
    }


def test_what_cannot_be_evaluated_can_be_ignored(over: verbs.Verbs) -> None:
    broken = {"validations": [{"expression": "object.x == 1"}], "failurePolicy": "Ignore"}
    worlds.lay_down(over, broken)
    conditions = [{"name": "a", "expression": "object.x == 1"}]
    worlds.lay_down(over, {**broken, "matchConditions": conditions}, name="more")
    reference = {"name": "none", "parameterNotFoundAction": "Deny"}
    worlds.lay_down(over, {**broken, "paramKind": worlds.KIND}, name="third", binding={"paramRef": reference})
    assert validated(over) == ()


def test_parameters_that_are_not_there_are_refused_whatever_the_binding_says(over: verbs.Verbs) -> None:
    reference = {"name": "none", "parameterNotFoundAction": "Deny"}
    binding = {"paramRef": reference, "validationActions": ["Audit"]}
    worlds.lay_down(over, {"validations": [SMALL], "paramKind": worlds.KIND}, binding=binding)
    with pytest.raises(ApiError, match="failed to configure binding: no params found for policy binding"):
        validated(over)


def test_warnings_are_given_once(over: verbs.Verbs) -> None:
    worlds.lay_down(over, {"validations": [SMALL, SMALL]}, binding={"validationActions": ["Warn"]})
    (warning,) = validated(over)
    assert warning.startswith(
        "Validation failed for ValidatingAdmissionPolicy 'few' with binding 'few-here': "
    )


def test_conditions_that_are_not_met(over: verbs.Verbs) -> None:
    conditions = [{"name": "a", "expression": "object.metadata.name != 'a'"}]
    worlds.lay_down(over, {"validations": [SMALL], "matchConditions": conditions})
    assert validated(over) == ()
    body = {**worlds.request().object, "metadata": {"name": "b"}}
    with pytest.raises(ApiError, match="denied request"):
        validated(over, object=body)
