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


STORIES = {
    # what has to be shown: the stories that show it
    "first install order": ("first-install-in-order", "killed-in-a-first-install"),
    "upgrade order": ("upgrade-in-order", "independent-releases-share-a-wave", "only-the-caller-changes"),
    "mixed versions hold the caller": (
        "slow-rolling-update-holds-the-caller",
        "an-old-track-with-a-little-*",
        "an-old-track-that-stands-in-counts",
    ),
    "failure of each wave": (
        "first-wave-is-refused-by-helm",
        "a-new-pod-never-gets-ready",
        "second-wave-is-refused-by-helm",
        "middle-wave-never-gets-ready",
        "last-wave-never-gets-ready",
    ),
    "killed at each step, and resumed": ("killed-and-resumed-[1-4]", "killed-while-a-new-track-comes-up"),
    "cycle": ("circle", "release-that-requires-itself"),
    "missing contract": ("missing-contract", "what-is-required-is-missing-*"),
    "range conflict": ("range-conflict", "two-callers-that-cannot-agree", "what-is-required-is-too-old-*"),
    "rollback refused": ("rollback-refused", "rollback-that-nobody-minds"),
    "reverse delete": ("uninstall-callers-first", "uninstall-refused"),
    "flapping readiness": ("a-pod-that-flaps-does-not-hold-up-what-has-begun",),
    "two people at once": ("two-people-at-once",),
    "expand, then contract": ("expand-*", "an-old-track-without-traffic-*", "a-track-is-retired-*"),
    "traffic only for pods that are there": ("a-new-track-with-traffic-*", "a-track-comes-back-*"),
}
"""Real processes, killed and two at once, are in tests/lab/test_interrupted_releases.py."""


@pytest.mark.parametrize("what", STORIES)
def test_what_has_to_be_shown_has_its_stories(what: str) -> None:
    for pattern in STORIES[what]:
        assert list(HERE.glob(f"{pattern}.in.yaml")), pattern


class Interrupted(BaseException):
    """A kill, as far as a process can tell of itself."""


class Story:
    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.lines: list[str] = []
        self.violations: list[str] = []
        self.world = worlds.World(
            broken=frozenset(case.get("broken", ())),
            flapping=frozenset(case.get("flapping", ())),
            refused=frozenset(case.get("refused", ())),
        )
        for name, values in (case.get("cluster") or {}).items():
            self.world.install(ReleaseId(NAMESPACE, name), values)
        self.world.on_pause = self.watch
        self.kill_at = case.get("killAt")
        self.satisfied = set[Requirement]()

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
        run = carrying_out.Run(session, self.world, self.world, self.patience(), self.satisfied)
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
        """Find tracks whose requests are lost: they have no ready pod while others do, and nobody stands in."""
        for release in world.history:
            view = serving.observe(release, objects)
            ready = {one.track for one in view.backends if one.is_ready}
            for track in sorted(view.strict - ready) if ready else ():
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


class Forgetful(set[Requirement]):
    """A run with this asks again and again."""

    def add(self, element: Requirement, /) -> None:
        """Remember nothing."""


@pytest.mark.parametrize(("satisfied", "is_held"), [(set[Requirement](), False), (Forgetful(), True)])
def test_what_was_seen_once_holds_nobody_up_again(satisfied: set[Requirement], is_held: bool) -> None:
    story = Story(
        yaml.safe_load((HERE / "a-pod-that-flaps-does-not-hold-up-what-has-begun.in.yaml").read_text())
    )
    story.satisfied = satisfied
    story.apply()
    assert any(line.startswith("mobile waiting: reviews-api") for line in story.lines) is is_held


@pytest.mark.parametrize(
    ("name", "revision", "words"),
    [
        ("reviews", 9, "release shop/reviews has no revision 9: it is at 1, and old ones are dropped"),
        ("review", 1, "there is no release review in namespace shop, which has: page, reviews"),
    ],
)
def test_a_rollback_to_what_is_not_there_says_what_is(name: str, revision: int, words: str) -> None:
    world = worlds.World()
    for one in ("reviews", "page"):
        world.install(ReleaseId(NAMESPACE, one), {})
    with pytest.raises(ports.HelmFailedError, match=words):
        sessions.check_rollback(ReleaseId(NAMESPACE, name), revision, world)
