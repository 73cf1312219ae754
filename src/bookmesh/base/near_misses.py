"""Guesses at what somebody meant, for the `known` and `hint` parts of messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN = 8


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one; None when nothing is like it."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def listed(known: Iterable[str]) -> str:
    """Known words in a line, the first few of them."""
    words = list(dict.fromkeys(known))
    rest = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"? ` or nothing, to begin a hint with."""
    guess = closest(word, known)
    return f'did you mean "{guess}"? ' if guess is not None else ""
