"""What all structures have in common."""

from __future__ import annotations

import msgspec
import pytest

from bookmesh.mesh.model import base


class Choice(base.Model, frozen=True):
    """One or the other."""

    one_way: str | None = None
    other_way: str | None = None
    flag: bool = False

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("one_way", "other_way"),)


def test_names_are_in_camel_case_and_unknown_ones_refused() -> None:
    assert msgspec.convert({"oneWay": "a"}, Choice).one_way == "a"
    with pytest.raises(msgspec.ValidationError, match="unknown field `one_way`"):
        msgspec.convert({"one_way": "a"}, Choice)


def test_alternatives_exclude_each_other_in_the_words_of_the_yaml() -> None:
    with pytest.raises(msgspec.ValidationError, match="at most one of oneWay, otherWay may be set"):
        msgspec.convert({"oneWay": "a", "otherWay": "b"}, Choice)


def test_field_is_set_when_it_differs_from_nothing() -> None:
    choice = Choice(one_way="a")
    assert [base.is_set(choice, name) for name in ("one_way", "other_way", "flag")] == [True, False, False]


@pytest.mark.parametrize("text", ["1s", "1.5h", "1h30m", "250ms", "0s"])
def test_durations_are_those_of_go(text: str) -> None:
    assert msgspec.convert(text, base.Duration) == text


@pytest.mark.parametrize("text", ["", "1", "s", "1 s", "-1s", "1d"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, base.Duration)
