"""Policies change objects."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.api.policies import worlds

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import verbs
from bookmesh.kube.api.policies import mutating


def applied(text: str) -> JsonObject:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": text}}


def patched(text: str) -> JsonObject:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": text}}


def lay_down(over: verbs.Verbs, name: str, *mutations: JsonObject, **spec: Any) -> None:
    worlds.lay_down(over, {"mutations": [*mutations], **spec}, name=name, is_mutating=True)


def mutated(over: verbs.Verbs, **asked: Any) -> JsonObject:
    policies = mutating.MutatingPolicies(over.store, over.kinds, over.schemas)
    return policies.mutate(worlds.request(**asked))


def test_each_sees_what_the_one_before_left(over: verbs.Verbs) -> None:
    lay_down(
        over,
        "a",
        applied("Object{data: {'one': '1'}}"),
        patched("[JSONPatch{op: 'remove', path: '/data/size'}]"),
    )
    lay_down(over, "b", applied("Object{data: {'keys': string(object.data.size())}}"))
    assert mutated(over)["data"] == {"one": "1", "keys": "1"}


def test_one_that_asked_for_it_is_evaluated_again(over: verbs.Verbs) -> None:
    count = "Object{data: {'count': string(object.data.size())}}"
    lay_down(over, "a", applied(count), reinvocationPolicy="IfNeeded")
    lay_down(over, "b", applied(count.replace("count", "other")))
    assert mutated(over)["data"] == {"size": "7", "count": "3", "other": "2"}


def test_deletions_and_other_kinds_are_left_alone(over: verbs.Verbs) -> None:
    lay_down(over, "a", applied("Object{data: {}}"))
    asked = worlds.request(operation="DELETE")
    policies = mutating.MutatingPolicies(over.store, over.kinds, over.schemas)
    assert policies.mutate(asked) is asked.object


@pytest.mark.parametrize(
    ("mutation", "why"),
    [
        (applied("1"), "an apply configuration must be an Object"),
        (applied("object.x"), "expression 'object.x' resulted in error: no such key: x"),
        (patched("[1]"), "must be a list of JSONPatch"),
        (patched("[JSONPatch{op: 'remove', path: '/x'}]"), "error applying JSON patch"),
        (applied("Object{kind: 'Secret'}"), "apiVersion and kind must not change"),
    ],
)
def test_what_is_no_change(over: verbs.Verbs, mutation: JsonObject, why: str) -> None:
    lay_down(over, "a", mutation)
    with pytest.raises(
        ApiError, match=f"policy 'a' with binding 'a-here' denied request: .*{why}"
    ) as refused:
        mutated(over)
    assert refused.value.code == 422
    lay_down(over, "b", mutation, failurePolicy="Ignore")


def test_failures_can_be_ignored(over: verbs.Verbs) -> None:
    lay_down(over, "a", applied("object.x"), failurePolicy="Ignore")
    assert mutated(over) == worlds.request().object


def test_conditions(over: verbs.Verbs) -> None:
    conditions = [{"name": "a", "expression": "!has(object.data.one)"}]
    lay_down(over, "a", applied("Object{data: {'one': '1'}}"), matchConditions=conditions)
    assert mutated(over)["data"] == {"size": "7", "one": "1"}
    body = {**worlds.request().object, "data": {"one": "0"}}
    assert mutated(over, object=body)["data"] == {"one": "0"}
