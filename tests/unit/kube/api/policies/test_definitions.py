"""Policies out of the store."""

from __future__ import annotations

from tests.unit.kube.api.policies import worlds

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.api import verbs
from bookmesh.kube.api.policies import definitions

SPEC = {"validations": [{"expression": " true "}], "failurePolicy": "Ignore"}


def test_policies_with_a_binding_by_name(over: verbs.Verbs) -> None:
    known = definitions.Definitions(over.store, definitions.VALIDATING)
    assert known.policies() == ()
    worlds.lay_down(over, SPEC, name="b")
    worlds.lay_down(over, SPEC, name="a")
    assert [each.name for each in known.policies()] == ["a", "b"]
    assert known.policies() is known.policies()
    over.delete(Resource(worlds.GROUP, "v1", "validatingadmissionpolicybindings"), "a-here")
    (left,) = known.policies()
    assert (left.name, left.is_ignored_on_failure, left.is_reinvoked) == ("b", True, False)
    assert [each.test.text for each in left.validations] == ["true"]
    assert [each.name for each in left.bindings] == ["b-here"]


def test_mutations(over: verbs.Verbs) -> None:
    applied = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}
    patched = {"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}
    spec = {"mutations": [applied, patched], "reinvocationPolicy": "IfNeeded"}
    worlds.lay_down(over, spec, is_mutating=True)
    (policy,) = definitions.Definitions(over.store, definitions.MUTATING).policies()
    assert [each.is_json_patch for each in policy.mutations] == [False, True]
    assert policy.is_reinvoked
