"""
Versions of contracts, and ranges of them: `>=2 <4`, `2`, `1.2 || >=3`.

A contract's version has one to three numbers; missing ones are 0. A range is alternatives, separated by `||`, of
conditions that all hold. A version without a sign stands for everything that begins with it: `2` takes 2.7, and `2.7`
takes 2.7.1.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Version = tuple[int, int, int]

_VERSION: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}")
_CONDITION: Final = re.compile(r"(?P<sign>>=|<=|>|<|=|)(?P<version>[0-9.]+)")
_SIGNS: Final[dict[str, Callable[[Version, Version], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Range:
    """A parsed range; `text` is how it was written."""

    text: str
    alternatives: tuple[tuple[Condition, ...], ...]

    def __contains__(self, version: Version) -> bool:
        return any(all(one.holds(version) for one in conditions) for conditions in self.alternatives)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; without a sign, `length` numbers have to be equal."""

    sign: str
    version: Version
    length: int

    def holds(self, version: Version) -> bool:
        if not self.sign:
            return version[: self.length] == self.version[: self.length]
        return _SIGNS[self.sign](version, self.version)


def parse_version(text: str) -> Version:
    """
    Parse a contract's version.

    Raises:
        ValueError: it is none.
    """
    if not _VERSION.fullmatch(text):
        raise ValueError(f"{text!r} is no version of a contract: one to three numbers, such as 2 or 2.1")
    numbers = [int(part) for part in text.split(".")]
    numbers += [0] * (3 - len(numbers))
    return numbers[0], numbers[1], numbers[2]


def render_version(version: Version) -> str:
    """Write a version without the zeros at its end."""
    major, minor, patch = version
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}" if minor else str(major)


def parse_range(text: str) -> Range:
    """
    Parse a range.

    Raises:
        ValueError: it is none.
    """
    alternatives = tuple(
        tuple(_parse_condition(part, text) for part in _joined(alternative).split())
        for alternative in text.split("||")
    )
    if not all(alternatives):
        raise ValueError(f"{text!r} is no range of versions: conditions are missing")
    return Range(text.strip(), alternatives)


def _joined(text: str) -> str:
    """Let `>= 2` be `>=2`."""
    return re.sub(r"(>=|<=|>|<|=)\s+", r"\1", text)


def _parse_condition(part: str, whole: str) -> Condition:
    match = _CONDITION.fullmatch(part)
    if match is None:
        raise ValueError(
            f"{whole!r} is no range of versions: {part!r} is no condition such as >=2, <4 or 2.1"
        )
    version = parse_version(match["version"])
    return Condition(match["sign"], version, match["version"].count(".") + 1)
