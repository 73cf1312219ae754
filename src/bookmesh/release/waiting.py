"""Waiting for what a cluster is to become, and telling people about it: conditions with a deadline, never a sleep."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from bookmesh.release.contracts import ReleaseId

POLL_S: Final = 0.25

State = Literal["waiting", "unchanged", "applying", "served", "failed", "undone", "not begun"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something people want to see happen; `text` says more."""

    release: ReleaseId
    state: State
    text: str = ""


class NotServedError(Exception):
    """What was waited for did not come in time; the message says what was there instead."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and whom to tell. `report` may be called from several threads."""

    report: Callable[[Event], None]
    timeout_s: float = 300.0
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def wait_for(
        self, release: ReleaseId, look: Callable[[], str], what: str = "", why: Callable[[], str] = str
    ) -> None:
        """
        Return when `look` gives "", the problem that is left; each other one is reported once, after `what`. Whoever
        waits in vain is told `why`, too: what has been undone cannot be looked at any more.

        Raises:
            NotServedError: not in time.
        """
        deadline = self.clock() + self.timeout_s
        said = ""
        while problem := look():
            if self.clock() > deadline:
                reasons = "; ".join(part for part in (problem, why()) if part)
                raise NotServedError(f"not within {self.timeout_s:g} s: {what}{reasons}")
            if problem != said:
                self.report(Event(release, "waiting", what + problem))
                said = problem
            self.pause(POLL_S)
