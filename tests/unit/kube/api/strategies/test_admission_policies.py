"""The status of policies."""

from __future__ import annotations

from typing import Any

from tests.unit.kube.api.policies import worlds

from bookmesh.base.kubernetes import Resource, copy_json
from bookmesh.kube.api import verbs

POLICIES = Resource(worlds.GROUP, "v1", "validatingadmissionpolicies")


def status(over: verbs.Verbs) -> Any:
    return over.get(POLICIES, "few").object["status"]


def test_misspelt_fields_are_told_for_each_kind_until_they_are_mended(over: verbs.Verbs) -> None:
    rule = {**worlds.RULE, "resources": ["configmaps", "secrets", "nothing", "*"]}
    constraints = {"resourceRules": [{**rule, "resources": ["configmaps", "secrets"]}]}
    wrong = {"expression": "object.dta.a == ''", "messageExpression": "object.metadata.namespace"}
    worlds.lay_down(over, {"matchConstraints": constraints, "validations": [wrong]})
    (warning,) = status(over)["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    lines = [line for line in warning["warning"].splitlines() if "Kind=" in line]
    assert lines == [
        f"v1, Kind={kind}: ERROR: <input>:1:7: undefined field 'dta'" for kind in ("ConfigMap", "Secret")
    ]
    mended = copy_json(over.get(POLICIES, "few").object)
    mended["spec"]["validations"][0]["expression"] = "object.data.a == ''"
    over.update(POLICIES, "few", "", mended)
    assert status(over) == {"observedGeneration": 2, "typeChecking": {}}
