"""
Carry a plan out: wave by wave, each release when what it requires is really served.

A release that is as wanted already is left alone, so that an interrupted run goes on where it was. When a release
fails, or is not served in time, what this run changed is undone in reverse order. Once a requirement was seen to be
satisfied, it is not asked again in the same run: a pod that flaps must not hold up what has begun.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import judging, preparing, serving
from bookmesh.release.contracts import ReleaseId, Requirement
from bookmesh.release.ports import (
    Cluster,
    ClusterFailedError,
    Helm,
    HelmFailedError,
    Installed,
    NotInstalledError,
)
from bookmesh.release.sessions import Session
from bookmesh.release.waiting import Event, NotServedError, Patience, State


@dataclass(slots=True)
class Run:
    """One run of a session's plan."""

    session: Session
    helm: Helm
    cluster: Cluster
    patience: Patience
    satisfied: set[Requirement] = field(default_factory=set)
    states: dict[ReleaseId, State] = field(default_factory=dict)
    reasons: dict[ReleaseId, str] = field(default_factory=dict)
    """Why releases failed, also of those that have been undone since."""
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
            self._prepare(release)
            self._changed.append(release)
            revision = self.helm.apply(self.session.wanted[release])
            self._await_own(release)
            self._say(release, "served", f"revision {revision}")
        except (HelmFailedError, ClusterFailedError, NotServedError) as error:
            self._say(release, "failed", str(error))
            return False
        return True

    def _prepare(self, release: ReleaseId) -> None:
        before = self.session.installed.get(release)
        if before is not None:
            seen = self.cluster.objects(release.namespace)
            first = preparing.missing(release, self.session.rendered[release], before.manifest, seen)
            preparing.bring_up(
                release, first, before=before.manifest, cluster=self.cluster, patience=self._waiting()
            )

    def _await(self, release: ReleaseId, requirement: Requirement) -> None:
        if requirement in self.satisfied:
            return

        def look() -> str:
            view = serving.observe(requirement.release, self.cluster.objects(requirement.release.namespace))
            verdict = judging.judge(requirement, view)
            return "" if verdict.is_satisfied else verdict.reason

        self._waiting().wait_for(release, look, f"{requirement}: ")
        self.satisfied.add(requirement)

    def _await_own(self, release: ReleaseId) -> None:
        """Wait until the release itself is all there: every Deployment updated, and ready."""

        def view() -> serving.Serving:
            return serving.observe(release, self.cluster.objects(release.namespace))

        self._waiting().wait_for(
            release, lambda: judging.unfinished(view()), why=lambda: judging.troubles(view())
        )

    def _undo(self) -> None:
        for release in reversed(self._changed):
            before = self.session.installed.get(release)
            try:
                if before is None:
                    with contextlib.suppress(NotInstalledError):
                        self.helm.uninstall(release)
                    self._say(release, "undone", "it was not there before, and is not there now")
                else:
                    go_back(release, before.revision, self.helm, self.cluster, self._waiting())
                    self._say(release, "undone", f"back to what revision {before.revision} was")
            except (HelmFailedError, ClusterFailedError, NotServedError) as error:
                self._say(release, "failed", f"could not be undone: {error}")

    def _say(self, release: ReleaseId, state: State, text: str = "") -> None:
        self._note(Event(release, state, text))

    def _note(self, event: Event) -> None:
        self.states[event.release] = event.state
        if event.state == "failed":
            self.reasons[event.release] = event.text
        self.patience.report(event)

    def _waiting(self) -> Patience:
        return replace(self.patience, report=self._note)


def go_back(release: ReleaseId, revision: int, helm: Helm, cluster: Cluster, patience: Patience) -> None:
    """
    Bring a release back to a revision: tracks that will get traffic first, then everything.

    Raises:
        HelmFailedError, ClusterFailedError, NotServedError.
    """
    before = next((one for one in helm.installed(release.namespace) if one.release == release), None)
    if before is not None:
        after, seen = helm.manifest(release, revision), cluster.objects(release.namespace)
        first = preparing.missing(release, after, before.manifest, seen)
        preparing.bring_up(release, first, before=before.manifest, cluster=cluster, patience=patience)
    helm.roll_back(release, revision)


def is_unchanged(before: Installed | None, objects: Sequence[JsonObject]) -> bool:
    """Whether a release is installed in good order and consists of these very objects already."""
    return before is not None and before.is_deployed and list(before.manifest) == list(objects)
