"""Conditions as the Gateway API words them, before they have a time and a generation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bookmesh.base.kubernetes import JsonObject


@dataclass(frozen=True, slots=True)
class Problem:
    """
    What is wrong: one of the reasons of the specification, or of Istio's, and words for people. One that `is_fatal`
    leaves nothing of the route, not only of the reference.
    """

    reason: str
    message: str
    is_fatal: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a status."""

    type: str
    is_true: bool
    reason: str
    message: str

    def as_json(self) -> JsonObject:
        status = "True" if self.is_true else "False"
        return {"type": self.type, "status": status, "reason": self.reason, "message": self.message}


def build(type_: str, problem: Problem | None, *, reason: str = "", message: str) -> Condition:
    """A condition that is true with `reason` (default: its type) and `message`, unless there is a problem."""
    if problem is not None:
        return Condition(type_, False, problem.reason, problem.message)
    return Condition(type_, True, reason or type_, message)


def as_json(conditions: Iterable[Condition]) -> list[JsonObject]:
    """In the order of their types, as Istio writes them."""
    return [condition.as_json() for condition in sorted(conditions, key=lambda each: each.type)]


def joined(problems: Iterable[Problem | None]) -> Problem | None:
    """The first problem, with the words of all; None without any."""
    found = list(dict.fromkeys(problem for problem in problems if problem is not None))
    if not found:
        return None
    message = "; ".join(dict.fromkeys(problem.message for problem in found))
    return Problem(found[0].reason, message, is_fatal=any(problem.is_fatal for problem in found))


def fatal(problems: Iterable[Problem | None]) -> Problem | None:
    """The first problem that leaves nothing of a route; None without any."""
    return next((problem for problem in problems if problem is not None and problem.is_fatal), None)
