"""Rules that CRDs state: where they hold, what they say, and what they make of changes."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, kinds, schemas, validation_rules

INTEGER: JsonObject = {"type": "integer"}
TEXT: JsonObject = {"type": "string"}


@pytest.fixture(scope="module")
def known() -> schemas.Schemas:
    return schemas.Schemas.load()


def rule(text: str, **more: Any) -> JsonObject:
    return {"rule": text, **more}


def found(
    known: schemas.Schemas, spec: JsonObject, value: Any, old: Any = None, *, is_change: bool = False
) -> validation_rules.Found:
    """Check an object whose `spec` has this schema and value; `old` is the spec before a change."""
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    definition = {
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [version],
        },
    }
    known.add_crd(definition)
    (kind,) = kinds.parse_crd(definition)
    before = {"metadata": {}, "spec": old} if is_change else None
    return validation_rules.check(known, kind, {"metadata": {}, "spec": value}, before)


def said(result: validation_rules.Found) -> list[str]:
    return [f"{cause.field}: {cause.message}" for cause in result.wrong]


def thing(*rules: JsonObject, **properties: JsonObject) -> JsonObject:
    return {"type": "object", "properties": properties, "x-kubernetes-validations": list(rules)}


def test_a_rule_that_holds_says_nothing(known: schemas.Schemas) -> None:
    spec = thing(rule("self.low <= self.high"), low=INTEGER, high=INTEGER)
    assert found(known, spec, {"low": 1, "high": 2}) == ([], [])
    assert said(found(known, spec, {"low": 3, "high": 2})) == [
        'spec: Invalid value: "object": failed rule: self.low <= self.high'
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"message": " too low "}, 'spec: Invalid value: "object": too low'),
        (
            {"message": "no", "messageExpression": "'low is %d'.format([self.low])"},
            'spec: Invalid value: "object": low is 3',
        ),
        ({"message": "no", "messageExpression": "self.nothing"}, 'spec: Invalid value: "object": no'),
        ({"message": "no", "messageExpression": "'a\\nb'"}, 'spec: Invalid value: "object": no'),
        ({"message": "no", "fieldPath": ".low"}, 'spec.low: Invalid value: "object": no'),
        ({"message": "no", "fieldPath": "['low']"}, 'spec[low]: Invalid value: "object": no'),
        ({"message": "no", "reason": "FieldValueForbidden"}, "spec: Forbidden: no"),
        ({"message": "no", "reason": "FieldValueRequired"}, "spec: Required value: no"),
        ({"message": "no", "reason": "FieldValueDuplicate"}, 'spec: Duplicate value: "object"'),
    ],
)
def test_what_a_broken_rule_says(known: schemas.Schemas, more: JsonObject, expected: str) -> None:
    spec = thing(rule("self.low < 3", **more), low=INTEGER)
    result = found(known, spec, {"low": 3})
    assert said(result) == [expected]
    assert result.wrong[0].reason == more.get("reason", "FieldValueInvalid")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("self.nothing == 1", "no such key: nothing evaluating rule: self.nothing == 1"),
        (
            "self.low + 'a' == ''",
            "'no such overload': call arguments did not match a supported operator, function or macro signature "
            "for rule: self.low + 'a' == ''",
        ),
    ],
)
def test_a_rule_that_cannot_be_evaluated(known: schemas.Schemas, text: str, why: str) -> None:
    assert said(found(known, thing(rule(text), low=INTEGER), {"low": 3})) == [
        f'spec: Invalid value: "object": {why}'
    ]


def test_rules_stand_at_every_depth(known: schemas.Schemas) -> None:
    even = {**INTEGER, "x-kubernetes-validations": [rule("self % 2 == 0", message="odd")]}
    spec = thing(
        list={"type": "array", "items": even},
        map={"type": "object", "additionalProperties": even},
        all={**INTEGER, "allOf": [{"x-kubernetes-validations": [rule("self > 0", message="low")]}]},
    )
    value = {"list": [2, 3, None], "map": {"a": 1, "b": 2}, "all": -1}
    assert said(found(known, spec, value)) == [
        'spec.list[1]: Invalid value: "integer": odd',
        'spec.map[a]: Invalid value: "integer": odd',
        'spec.all: Invalid value: "integer": low',
    ]


IMMUTABLE = rule("self == oldSelf", message="is immutable")


def test_a_rule_about_a_change_is_for_changes(known: schemas.Schemas) -> None:
    spec = thing(name={**TEXT, "x-kubernetes-validations": [IMMUTABLE]})
    assert found(known, spec, {"name": "a"}) == ([], [])
    assert found(known, spec, {"name": "a"}, {}, is_change=True) == ([], [])
    assert found(known, spec, {"name": "a"}, {"name": "a"}, is_change=True) == ([], [])
    assert said(found(known, spec, {"name": "b"}, {"name": "a"}, is_change=True)) == [
        'spec.name: Invalid value: "string": is immutable'
    ]


def test_elements_are_compared_by_their_keys(known: schemas.Schemas) -> None:
    element = thing(key=TEXT, value={**INTEGER, "x-kubernetes-validations": [IMMUTABLE]})
    listed = {
        "type": "array",
        "items": element,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["key"],
    }
    old = {"list": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]}
    moved = {"list": [{"key": "b", "value": 2}, {"key": "c", "value": 9}, {"key": "a", "value": 5}]}
    assert said(found(known, thing(list=listed), moved, old, is_change=True)) == [
        'spec.list[2].value: Invalid value: "integer": is immutable'
    ]
    atomic = {"type": "array", "items": element}
    assert found(known, thing(list=atomic), moved, old, is_change=True) == ([], [])


def test_an_old_value_may_be_optional(known: schemas.Schemas) -> None:
    text = "oldSelf.hasValue() ? self >= oldSelf.value() : self == 0"
    grows = rule(text, optionalOldSelf=True, message="must start at 0 and grow")
    spec = thing(count={**INTEGER, "x-kubernetes-validations": [grows]})
    assert found(known, spec, {"count": 0}) == ([], [])
    assert len(found(known, spec, {"count": 1}).wrong) == 1
    assert found(known, spec, {"count": 3}, {"count": 2}, is_change=True) == ([], [])
    assert len(found(known, spec, {"count": 1}, {"count": 2}, is_change=True).wrong) == 1


def test_what_was_so_before_is_a_warning(known: schemas.Schemas) -> None:
    low = {**INTEGER, "x-kubernetes-validations": [rule("self < 3", message="too much")]}
    spec = thing(a=low, b=low, list={"type": "array", "items": low})
    old = {"a": 5, "b": 1, "list": [7]}
    kept = found(known, spec, {"a": 5, "b": 2, "list": [7]}, old, is_change=True)
    assert kept == (
        [],
        ['spec.a: Invalid value: "integer": too much', 'spec.list[0]: Invalid value: "integer": too much'],
    )
    changed = found(known, spec, {"a": 6, "b": 2, "list": [7, 1]}, old, is_change=True)
    assert [cause.field for cause in changed.wrong] == ["spec.a", "spec.list[0]"]


def test_types_are_those_of_the_schema(known: schemas.Schemas) -> None:
    spec = thing(
        rule("self.__namespace__ == 'x' && self.a__dash__b + 0.5 == 1.5 && self.wait > duration('1m')"),
        rule("self.at < timestamp('2027-01-01T00:00:00Z')"),
        **{
            "namespace": TEXT,
            "a-b": {"type": "number"},
            "wait": {**TEXT, "format": "duration"},
            "at": {**TEXT, "format": "date-time"},
        },
    )
    value = {"namespace": "x", "a-b": 1, "wait": "2m", "at": "2026-01-01T00:00:00Z"}
    assert found(known, spec, value) == ([], [])


def test_rules_are_not_checked_where_the_schema_leaves_them_nothing_to_go_by(known: schemas.Schemas) -> None:
    spec = thing(rule("self.low < 3"), low=INTEGER)
    found(known, spec, {"low": 1})
    kind = kinds.Kind("example.com", "v1", "Thing", "things", "thing", namespaced=True, is_custom=True)
    obj = {"metadata": {}, "spec": {"low": "x"}}
    mistyped = [causes.wrong_type("spec.low", "x", "integer")]
    (cause,) = validation_rules.check_after(mistyped, known, kind, obj, None).wrong
    assert cause.field == "<nil>"
    assert cause.message.startswith('Invalid value: "null": some validation rules were not checked')
    known.add_crd(_plain_definition())
    assert validation_rules.check_after(mistyped, known, kind, obj, None) == ([], [])


def _plain_definition() -> JsonObject:
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"kind": "Thing", "plural": "things"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": "things.example.com"}, "spec": spec}
