"""
Carry a plan out: wave by wave, each release when what it requires is really served.

A release that is as wanted already is left alone, so that an interrupted run goes on where it was. When a release
fails, or is not served in time, what this run changed is undone in reverse order. Once a requirement was seen to be
satisfied, it is not asked again in the same run: a pod that flaps must not hold up what has begun.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Literal

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import judging, serving
from bookmesh.release.contracts import ReleaseId, Requirement
from bookmesh.release.ports import Cluster, Helm, HelmFailedError, Installed, NotInstalledError
from bookmesh.release.sessions import Session

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


@dataclass(slots=True)
class Run:
    """One run of a session's plan. `report` is called from several threads."""

    session: Session
    helm: Helm
    cluster: Cluster
    report: Callable[[Event], None]
    timeout_s: float = 300.0
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    satisfied: set[Requirement] = field(default_factory=set)
    states: dict[ReleaseId, State] = field(default_factory=dict)
    _changed: list[ReleaseId] = field(default_factory=list)

    def carry_out(self) -> bool:
        """Return whether everything is served; otherwise what was changed has been undone as far as possible."""
        for release in self.session.wanted:
            self._say(release, "not begun")
        for wave in self.session.plan.waves:
            with ThreadPoolExecutor(max_workers=max(1, len(wave))) as pool:
                results = list(pool.map(self._step, wave))
            if not all(results):
                self._undo()
                return False
        return True

    def _step(self, release: ReleaseId) -> bool:
        try:
            for requirement in self.session.intended[release].declared.requires:
                self._await(release, requirement)
            before = self.session.installed.get(release)
            if is_unchanged(before, self.session.rendered[release]):
                self._await_own(release)
                self._say(release, "unchanged")
                return True
            self._say(release, "applying")
            self._changed.append(release)
            revision = self.helm.apply(self.session.wanted[release])
            self._await_own(release)
            self._say(release, "served", f"revision {revision}")
        except (HelmFailedError, NotServedError) as error:
            self._say(release, "failed", str(error))
            return False
        return True

    def _await(self, release: ReleaseId, requirement: Requirement) -> None:
        if requirement in self.satisfied:
            return

        def look() -> str:
            view = serving.observe(requirement.release, self.cluster.objects(requirement.release.namespace))
            verdict = judging.judge(requirement, view)
            return "" if verdict.is_satisfied else verdict.reason

        self._wait_for(release, look, f"{requirement}: ")
        self.satisfied.add(requirement)

    def _await_own(self, release: ReleaseId) -> None:
        """Wait until the release itself is all there: every Deployment updated, and ready."""

        def look() -> str:
            view = serving.observe(release, self.cluster.objects(release.namespace))
            return judging.unfinished(view)

        self._wait_for(release, look, "")

    def _wait_for(self, release: ReleaseId, look: Callable[[], str], what: str) -> None:
        deadline = self.clock() + self.timeout_s
        said = ""
        while problem := look():
            if self.clock() > deadline:
                raise NotServedError(f"not within {self.timeout_s:g} s: {what}{problem}")
            if problem != said:
                self._say(release, "waiting", what + problem)
                said = problem
            self.pause(POLL_S)

    def _undo(self) -> None:
        for release in reversed(self._changed):
            before = self.session.installed.get(release)
            try:
                if before is None:
                    with contextlib.suppress(NotInstalledError):
                        self.helm.uninstall(release)
                    self._say(release, "undone", "it was not there before, and is not there now")
                else:
                    self.helm.roll_back(release, before.revision)
                    self._say(release, "undone", f"back to what revision {before.revision} was")
            except HelmFailedError as error:
                self._say(release, "failed", f"could not be undone: {error}")

    def _say(self, release: ReleaseId, state: State, text: str = "") -> None:
        self.states[release] = state
        self.report(Event(release, state, text))


def is_unchanged(before: Installed | None, objects: Sequence[JsonObject]) -> bool:
    """Whether a release is installed in good order and consists of these very objects already."""
    return before is not None and before.is_deployed and list(before.manifest) == list(objects)
