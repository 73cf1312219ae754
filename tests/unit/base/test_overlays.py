"""Mappings that share what they have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookmesh.base import overlays

KEYS = st.integers(0, 60)
CHANGES = st.dictionaries(KEYS, st.one_of(st.none(), st.integers(0, 3)), max_size=8)


@given(st.dictionaries(KEYS, st.integers(0, 3)), st.lists(CHANGES, max_size=12))
def test_changes_upon_changes_give_what_a_plain_mapping_has(start: dict[int, int], steps: list) -> None:
    plain, found = dict(start), start
    for changes in steps:
        before, old = found, dict(plain)
        found = overlays.changed(before, changes)
        for key, value in changes.items():
            if value is None:
                plain.pop(key, None)
            else:
                plain[key] = value
        assert dict(found) == plain
        assert found == plain
        assert plain == found
        assert len(found) == len(plain)
        assert sorted(found) == sorted(plain)
        assert all((key in found) == (key in plain) for key in range(61))
        assert all(found.get(key, -1) == plain.get(key, -1) for key in range(61))
        assert (found == before) == (plain == old)
        assert dict(before) == old
        real = {key for key in old.keys() | plain.keys() if old.get(key) != plain.get(key)}
        assert overlays.differing(before, found) == real


def test_without_a_difference_it_is_the_same_mapping() -> None:
    mapping = {"a": (1, 2)}
    assert overlays.changed(mapping, {"a": (1, 2), "b": None}) is mapping


def test_what_is_set_anew_keeps_its_place() -> None:
    assert list(overlays.changed({"a": 1, "b": 2, "c": 3}, {"d": 4, "a": 5, "b": None})) == ["a", "c", "d"]


def test_a_key_that_is_not_there_is_missing() -> None:
    found = overlays.changed({"a": 1}, {"a": None, "b": 2})
    for key in ("a", "c"):
        with pytest.raises(KeyError):
            found[key]


class Counted(dict):  # type: ignore[type-arg]
    """A mapping that says when somebody looks at all of it."""

    looks = 0

    def __iter__(self) -> Iterator[str]:
        Counted.looks += 1
        return super().__iter__()

    def keys(self):  # type: ignore[no-untyped-def]
        Counted.looks += 1
        return super().keys()


def test_neither_a_change_nor_a_difference_looks_at_the_rest() -> None:
    whole = Counted({str(number): number for number in range(1000)})
    first = overlays.changed(whole, {"7": 70})
    second = overlays.changed(first, {"8": 80, "9": None, "x": 1})
    assert overlays.differing(first, second) == {"8", "9", "x"}
    assert overlays.differing(whole, second) == {"7", "8", "9", "x"}
    assert (first == second, Counted.looks) == (False, 0)
