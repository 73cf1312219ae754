"""Guesses at what somebody meant."""

from __future__ import annotations

from bookmesh.base import near_misses


def test_closest_word_is_offered_and_a_strange_one_is_not() -> None:
    assert near_misses.closest("review", ["ratings", "reviews"]) == "reviews"
    assert near_misses.closest("zzz", ["ratings", "reviews"]) is None
    assert near_misses.did_you_mean("review", ["reviews"]) == 'did you mean "reviews"? '
    assert near_misses.did_you_mean("zzz", ["reviews"]) == ""


def test_long_lists_are_cut_and_counted() -> None:
    assert near_misses.listed(["a", "b", "a"]) == "a, b"
    assert near_misses.listed(str(n) for n in range(10)) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"
    assert near_misses.listed([]) == ""
