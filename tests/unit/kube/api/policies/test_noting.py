"""What validating policies have noted in the audit log."""

from __future__ import annotations

import orjson
import pytest
from tests.unit.kube.api.policies import worlds
from tests.unit.kube.api.policies.test_validating import DENIED, SMALL, validated

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import notes, verbs


def test_audit_leads_to_the_log_with_values_of_the_policys_own(over: verbs.Verbs) -> None:
    valued = [
        {"key": "size", "valueExpression": "object.data.size"},
        {"key": "none", "valueExpression": "null"},
    ]
    spec = {"validations": [{"expression": "true"}, SMALL], "auditAnnotations": valued}
    worlds.lay_down(over, spec, binding={"validationActions": ["Audit"]})
    noted = notes.begin()
    assert validated(over) == ()
    failure = {
        "message": "failed expression: int(object.data.size) < 5",
        "policy": "few",
        "binding": "few-here",
        "expressionIndex": 1,
        "validationActions": ["Audit"],
    }
    assert orjson.loads(noted.pop("validation.policy.admission.k8s.io/validation_failure")) == [failure]
    assert noted == {"few/size": "7"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("object.x", "expression 'object.x' resulted in error: no such key: x"),
        (
            "object.data.size == '7' ? dyn(1) : dyn('')",
            "valueExpression 'object.data.size == '7' ? dyn(1) : dyn('')' resulted in unsupported return type: "
            "int. Return type must be either string or null.",
        ),
    ],
)
def test_a_value_for_the_log_that_fails_is_a_refusal(over: verbs.Verbs, value: str, message: str) -> None:
    noted = [{"key": "a", "valueExpression": value}]
    worlds.lay_down(over, {"auditAnnotations": noted}, binding={"validationActions": ["Audit"]})
    with pytest.raises(ApiError) as refused:
        validated(over)
    assert refused.value.message == f'configmaps "a" is forbidden: {DENIED}{message}'
