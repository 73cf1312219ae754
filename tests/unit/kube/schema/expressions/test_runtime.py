"""What lowered expressions call."""

from __future__ import annotations

import pytest
from cel import OptionalValue

from bookmesh.kube.schema.expressions import runtime


def test_fields_of_what_may_not_be_there() -> None:
    assert runtime.field_of({"a": 1}, "a").value() == 1
    assert not runtime.field_of({}, "a").has_value()
    assert runtime.field_of(OptionalValue.of([5]), 0).value() == 5
    assert not runtime.field_of([5], -1).has_value()
    assert not runtime.field_of(OptionalValue.none(), "a").has_value()
    with pytest.raises(TypeError):
        runtime.field_of("text", "a")


def test_pairs_are_in_order() -> None:
    assert runtime.pairs_of({"b": 1, "a": 2}) == [["a", 2], ["b", 1]]
    assert runtime.pairs_of(["x"]) == [[0, "x"]]


def test_maps() -> None:
    assert runtime.map_of([["a", [1]], ["b", []]]) == {"a": 1}
    assert runtime.merged([{"a": 1}, {"b": 2}]) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="key a already exists"):
        runtime.merged([{"a": 1}, {"a": 2}])


def test_lengths() -> None:
    assert (runtime.length_of("é"), runtime.length_of("é".encode()), runtime.length_of({"a": 1})) == (1, 2, 1)
    with pytest.raises(TypeError):
        runtime.length_of(1)
