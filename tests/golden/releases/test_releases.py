"""
Releases in order: each `<case>.in.yaml`, a cluster and what is wanted, gives the story of its `<case>.out.txt`.

While a run goes on, no caller may meet an answer that it cannot live with: that is looked at with every pause, from
outside, whatever the story says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.golden.releases import worlds

from bookmesh.base.findings import BookmeshError
from bookmesh.release import (
    carrying_out,
    contracts,
    judging,
    ports,
    ranges,
    serving,
    sessions,
    texts,
    waiting,
)
from bookmesh.release.contracts import ReleaseId, Requirement
from bookmesh.release.files import Wanted

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.in.yaml"))
NAMESPACE = "shop"


def test_there_are_cases() -> None:
    assert len(CASES) >= 25


class Interrupted(BaseException):
    """A kill, as far as a process can tell of itself."""


class Story:
    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.lines: list[str] = []
        self.violations: list[str] = []
        self.world = worlds.World(
            broken=frozenset(case.get("broken", ())), refused=frozenset(case.get("refused", ()))
        )
        for name, values in (case.get("cluster") or {}).items():
            self.world.install(ReleaseId(NAMESPACE, name), values)
        self.world.on_pause = self.watch
        self.kill_at = case.get("killAt")

    def tell(self) -> str:
        if "apply" in self.case:
            self.apply()
        if "uninstall" in self.case:
            self.uninstall([ReleaseId(NAMESPACE, name) for name in self.case["uninstall"]])
        if "rollback" in self.case:
            self.world.pause(0.25)  # pods that went with what was applied are gone
            self.roll_back(
                ReleaseId(NAMESPACE, self.case["rollback"]["release"]), self.case["rollback"]["revision"]
            )
        return "\n".join(self.lines) + "\n"

    def apply(self) -> None:
        wanted = [Wanted(ReleaseId(NAMESPACE, n), Path(n), v) for n, v in self.case["apply"].items()]
        session = sessions.plan(wanted, self.world)
        self.lines += texts.describe_plan(
            session.plan, session.intended, session.rendered, session.installed
        ).splitlines()
        self.lines += [line for finding in session.findings for line in finding.render().splitlines()]
        if session.findings:
            return
        try:
            with self.world.lock(NAMESPACE, "first"):
                if self.case.get("second"):
                    self.second()
                is_done = self.run(session)
        except Interrupted:
            self.lines.append("-- killed; the same command again")
            self.kill_at, self.world.holder = None, ""
            self.apply()
            return
        self.lines.append(f"-- {'done' if is_done else 'failed'}")
        self.lines += texts.describe_states(session_states(self)).splitlines()

    def run(self, session: sessions.Session) -> bool:
        run = carrying_out.Run(session, self.world, self.world, self.patience())
        self.states = run.states
        return run.carry_out()

    def patience(self) -> waiting.Patience:
        return waiting.Patience(self.report, 20, pause=self.pause, clock=lambda: self.world.now)

    def pause(self, seconds: float) -> None:
        self.world.pause(seconds)
        if self.kill_at is not None and self.world.now >= self.kill_at:
            raise Interrupted

    def report(self, event: waiting.Event) -> None:
        if event.state != "not begun":
            self.lines.append(
                f"{event.release.name} {event.state}" + (f": {event.text}" if event.text else "")
            )

    def second(self) -> None:
        with pytest.raises(BookmeshError) as refusal, self.world.lock(NAMESPACE, "second"):
            pass
        self.lines.append(f"the second person: {refusal.value.finding.code}")

    def uninstall(self, leaving: list[ReleaseId]) -> None:
        order, findings = sessions.check_uninstall(leaving, self.world)
        self.lines += [line for finding in findings for line in finding.render().splitlines()]
        for one in [] if findings else order:
            try:
                self.world.uninstall(one)
                self.lines.append(f"{one.name} is gone")
            except ports.HelmFailedError as error:
                self.lines.append(str(error))

    def roll_back(self, release: ReleaseId, revision: int) -> None:
        findings = sessions.check_rollback(release, revision, self.world)
        self.lines += [line for finding in findings for line in finding.render().splitlines()]
        if not findings:
            carrying_out.go_back(release, revision, self.world, self.world, self.patience())
            self.lines.append(f"{release.name} is what revision {revision} was")

    def watch(self, world: worlds.World) -> None:
        """Find requests that would be lost, or answered under a contract that their caller cannot live with."""
        objects = world.objects(NAMESPACE)
        self.watch_routes(world, objects)
        for service in (obj for obj in objects if obj["kind"] == "Service"):
            caller = ReleaseId(NAMESPACE, service["metadata"]["name"])
            if not any(pod.is_ready for key, pods in world.pods.items() if key[0] == caller for pod in pods):
                continue
            for need in contracts.requirements_of(service, NAMESPACE):
                view = serving.observe(need.release, objects)
                routed = [one for one in view.backends if one.is_ready and view.is_routed(one.track)]
                if any(
                    one.provides.get(need.contract) not in need.versions
                    for one in routed
                    if need.contract in one.provides
                ):
                    self.violations.append(f"at {world.now:g} s {caller.name} calls a wrong {need.contract}")

    def watch_routes(self, world: worlds.World, objects: list[dict[str, Any]]) -> None:
        """Find tracks that routes send requests to, and that have no ready pod while others of the release do."""
        for release in world.history:
            view = serving.observe(release, objects)
            ready = {one.track for one in view.backends if one.is_ready}
            for track in sorted((view.shares or set()) - ready) if ready else ():
                self.violations.append(f"at {world.now:g} s {release.name} has no pod for track {track}")


def session_states(story: Story) -> dict[ReleaseId, str]:
    return dict(story.states)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_the_story_is_as_expected(path: Path, update_golden: bool) -> None:
    case = yaml.safe_load(path.read_text())
    story = Story(case)
    found = story.tell()
    assert story.violations == []
    expected = path.with_name(path.name.replace(".in.yaml", ".out.txt"))
    if update_golden:
        expected.write_text(found)
    assert found == expected.read_text()


def test_every_way_to_refuse_has_a_story() -> None:
    told = "".join(path.read_text() for path in HERE.glob("*.out.txt"))
    refusals = ("BM0602", "BM0603", "BM0604", "BM0605", "BM0607")
    assert [code for code in refusals if code not in told] == []


def test_the_watch_sees_what_goes_wrong() -> None:
    """The negative control: without the gate, a caller of version 2 meets version 1."""
    story = Story(yaml.safe_load((HERE / "upgrade-in-order.in.yaml").read_text()))
    for name in reversed(story.case["apply"]):
        story.world.apply(Wanted(ReleaseId(NAMESPACE, name), Path(name), story.case["apply"][name]))
    for _ in range(40):
        story.world.pause(0.25)
    assert story.violations


def test_the_watch_sees_traffic_for_a_track_that_is_not_there() -> None:
    """The negative control: Helm alone writes routes and Deployments at once."""
    story = Story(yaml.safe_load((HERE / "a-track-comes-back-with-its-traffic.in.yaml").read_text()))
    story.apply()
    story.world.pause(0.25)
    assert story.violations == []
    story.world.roll_back(ReleaseId(NAMESPACE, "reviews"), 1)
    story.world.pause(0.25)
    assert story.violations == ["at 0.5 s reviews has no pod for track v1"]


def test_judging_and_the_watch_agree_at_the_end() -> None:
    story = Story(yaml.safe_load((HERE / "upgrade-in-order.in.yaml").read_text()))
    story.tell()
    rows = sessions.check_installed(NAMESPACE, story.world, story.world)
    assert rows
    assert all(isinstance(row.verdict, judging.Verdict) and row.verdict.is_satisfied for row in rows)


def test_waiting_until_a_release_is_ready_lets_the_caller_go_too_early() -> None:
    """
    The rule of tools that gate on releases: the other one's last action is over, and its Deployments have their pods.

    At the moment both are bumped that holds for what was there before, and again while old pods are left.
    """
    case = yaml.safe_load((HERE / "slow-rolling-update-holds-the-caller.in.yaml").read_text())
    story = Story(case)
    reviews, page = ReleaseId(NAMESPACE, "reviews"), ReleaseId(NAMESPACE, "productpage")
    need = Requirement(reviews, "reviews-api", ranges.parse_range(">=2"))
    story.world.apply(Wanted(reviews, Path("reviews"), case["apply"]["reviews"]))
    gates: list[tuple[bool, bool]] = []
    while not gates or not gates[-1][1]:
        view = serving.observe(reviews, story.world.objects(NAMESPACE))
        gates.append((is_release_ready(view), judging.judge(need, view).is_satisfied))
        story.world.pause(0.25)
    too_early = [is_ready for is_ready, is_served in gates if is_ready and not is_served]
    assert gates[0] == (True, False)
    assert len(too_early) > len(gates) / 2
    story.world.apply(Wanted(page, Path("productpage"), case["apply"]["productpage"]))
    assert story.violations == []


def is_release_ready(view: serving.Serving) -> bool:
    """As many ready pods as wanted, of whatever version."""
    return all(
        sum(one.is_ready for one in view.backends if one.track == rollout.track) >= rollout.wanted
        for rollout in view.rollouts
    )
