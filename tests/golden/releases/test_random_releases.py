"""
Whatever a service was and is going to be: while it changes, no caller meets an answer that it cannot live with, and no
request is without anybody to answer it, unless that was so before.

Two ways lead there: a run of `bookmesh release apply`, and Helm alone behind the gate of the charts. Who answers is
worked out here, from values and pods; the rules under test look at objects of a cluster.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies
from tests.golden.releases import worlds

from bookmesh.release import carrying_out, contracts, gating, ranges, sessions, waiting
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.files import Wanted

REVIEWS, PAGE = ReleaseId("shop", "reviews"), ReleaseId("shop", "page")
TRACKS = ("v1", "v2", "v3")
RANGES = (">=1", ">=2", "<2", "<3", "1", "2", "3", "1 || 3", ">=2 <3")
WEIGHTS = ((100,), (0, 100), (100, 0), (50, 50), (100, 0, 0), (0, 100, 0), (0, 50, 50), (90, 0, 10))


@strategies.composite
def services(draw: strategies.DrawFn) -> dict[str, Any]:
    """Values of a service: what its tracks serve, and which of them get traffic. Tracks with traffic want pods."""
    names = draw(strategies.lists(strategies.sampled_from(TRACKS), min_size=1, max_size=3, unique=True))
    values: dict[str, Any] = {"tracks": {name: draw(tracks()) for name in sorted(names)}}
    weights = [one for one in WEIGHTS if len(one) == len(names)]
    if draw(strategies.integers(0, 4)):
        values["weights"] = dict(zip(sorted(names), draw(strategies.sampled_from(weights)), strict=True))
        values["failover"] = draw(strategies.booleans())
    for name, track in values["tracks"].items():
        if values.get("weights", {}).get(name, 1):
            track["replicas"] = max(1, track["replicas"])
    return values


@strategies.composite
def tracks(draw: strategies.DrawFn) -> dict[str, Any]:
    served = draw(strategies.sampled_from("123"))
    return {
        "provides": {"reviews-api": served},
        "image": served + draw(strategies.sampled_from("ab")),
        "replicas": draw(strategies.sampled_from((0, 1, 2))),
    }


CALLERS = strategies.sampled_from(RANGES).map(
    lambda wanted: {
        "tracks": {"v1": {}},
        "requires": [{"release": "reviews", "contract": "reviews-api", "range": wanted}],
    }
)


@dataclass
class Watched(worlds.World):
    """
    A world in which somebody writes down whatever callers meet, right after a change, too; with `lingers`, pods of a
    track that has just been removed are there then.
    """

    lingers: bool = False
    met: list[str] = field(default_factory=list)
    values: dict[ReleaseId, Mapping[str, Any]] = field(default_factory=dict)

    def watch(self) -> None:
        answers = self.answers()
        if None in answers:
            self.met.append(f"at {self.now:g} s nobody answers")
        if not any(pod.is_ready for key, pods in self.pods.items() if key[0] == PAGE for pod in pods):
            return
        for need in contracts.requirements_of(self.history[PAGE][-1][1], "shop"):
            self.met += [
                f"at {self.now:g} s the page gets {served}"
                for served in answers
                if served is not None and ranges.parse_version(served) not in need.versions
            ]

    def answers(self) -> set[str | None]:
        """What callers of reviews get now, by the routes of today; None is an error."""
        values, ready = self.values[REVIEWS], self.ready()
        if not values.get("weights"):
            return {served for one in ready.values() for served in one} or {None}
        weights = {track: weight for track, weight in values["weights"].items() if weight}
        idle = values["tracks"].keys() - weights.keys()
        found: set[str | None] = set()
        for track in weights:
            others = [one for one in ready if one not in idle] or list(ready)
            stand_ins = others if values.get("failover") else []
            answering = [track] if track in ready else stand_ins
            found |= {served for one in answering for served in ready[one]} or {None}
        return found

    def ready(self) -> dict[str, list[str]]:
        """What ready pods serve, by track."""
        found: dict[str, list[str]] = {}
        for (release, _), pods in self.pods.items():
            for pod in pods if release == REVIEWS else ():
                if pod.is_ready:
                    served = json.loads(pod.template["metadata"]["annotations"][contracts.PROVIDES])
                    track = pod.template["metadata"]["labels"][contracts.TRACK]
                    found.setdefault(track, []).append(served["reviews-api"])
        return found

    def apply(self, wanted: Wanted) -> int:
        revision = super().apply(wanted)
        self.values[wanted.release] = wanted.values
        names = {one["metadata"]["name"] for one in self._deployments(wanted.release)}
        for key in [key for key in self.pods if key[0] == wanted.release and key[1] not in names]:
            if not self.lingers:
                del self.pods[key]
        self.watch()
        return revision

    def roll_back(self, release: ReleaseId, revision: int) -> None:
        super().roll_back(release, revision)
        self.values[release] = self.first[release]
        self.watch()

    def begin(self, values: Mapping[ReleaseId, Mapping[str, Any]]) -> None:
        self.first = dict(values)
        self.values = dict(values)
        for release, one in values.items():
            self.install(release, one)
        self.on_pause = lambda _world: self.watch()
        self.watch()


def world(before: Mapping[str, Any], page: Mapping[str, Any], *, lingers: bool = False) -> Watched:
    """Both are installed."""
    made = Watched(lingers=lingers)
    made.begin({REVIEWS: before, PAGE: page})
    return made


def patience(made: Watched) -> waiting.Patience:
    return waiting.Patience(lambda _e: None, 20, pause=made.pause, clock=lambda: made.now)


@hypothesis.settings(max_examples=150)
@hypothesis.given(before=services(), after=services(), page=CALLERS, new_page=CALLERS)
def test_a_run_harms_no_caller(
    before: dict[str, Any], after: dict[str, Any], page: dict[str, Any], new_page: dict[str, Any]
) -> None:
    made = world(before, page)
    hypothesis.assume(not made.met)
    session = sessions.plan([Wanted(PAGE, Path("p"), new_page), Wanted(REVIEWS, Path("r"), after)], made)
    hypothesis.assume(not session.findings)
    carrying_out.Run(session, made, made, patience(made)).carry_out()
    assert made.met == []


def declaration(values: Mapping[str, Any]) -> str:
    """What the library chart tells its gate of these values."""
    told: dict[str, Any] = {
        "release": "reviews",
        "namespace": "shop",
        "provides": {name: one["provides"] for name, one in values["tracks"].items() if one["replicas"]},
    }
    if values.get("weights"):
        told["routed"] = [name for name, weight in values["weights"].items() if weight]
        told["strict"] = [] if values["failover"] and len(values["tracks"]) > 1 else told["routed"]
    return json.dumps(told)


def findings(made: Watched, after: Mapping[str, Any]) -> list[str]:
    found = gating.check(gating.parse(declaration(after)), made, patience(made))
    return [one.code for one in found]


def upgrade(made: Watched, after: Mapping[str, Any]) -> None:
    """As Helm alone does it."""
    made.apply(Wanted(REVIEWS, Path("r"), after))
    for _ in range(40):
        made.pause(0.25)


@hypothesis.settings(max_examples=150)
@hypothesis.given(before=services(), after=services(), page=CALLERS)
def test_helm_alone_harms_no_caller_when_the_gate_lets_it_go(
    before: dict[str, Any], after: dict[str, Any], page: dict[str, Any]
) -> None:
    made = world(before, page, lingers=True)
    hypothesis.assume(not made.met and not findings(made, after))
    upgrade(made, after)
    assert made.met == []


def service(failover: bool | None, **tracks: str) -> dict[str, Any]:
    """A service with tracks such as `v1="2 of 100"`: the contract that it serves, and its weight; "2" has none."""
    values: dict[str, Any] = {"tracks": {}}
    for name, text in tracks.items():
        served, _, weight = text.partition(" of ")
        values["tracks"][name] = {"provides": {"reviews-api": served}, "image": served, "replicas": 1}
        if weight:
            values.setdefault("weights", {})[name] = int(weight)
    return values | ({} if failover is None else {"failover": failover})


WANTS_2 = {
    "tracks": {"v1": {}},
    "requires": [{"release": "reviews", "contract": "reviews-api", "range": "2"}],
}
CHANGES = {
    "another image and traffic at once": (
        service(True, v1="2 of 100", v2="3 of 0"),
        service(True, v1="2 of 50", v2="2 of 50"),
        ["BM0623"],
    ),
    "a new track, and only one that callers cannot live with to stand in": (
        service(True, v1="2 of 100", v3="3 of 0"),
        service(True, v2="2 of 100", v3="3 of 0"),
        ["BM0623"],
    ),
    "a new track, and the one that stands in for it is replaced": (
        service(True, v1="2 of 100"),
        service(True, v1="3 of 0", v2="2 of 100"),
        ["BM0623"],
    ),
    "another track, and no routes": (service(None, v1="2"), service(None, v2="2"), ["BM0621"]),
    "another track, and nobody to stand in": (
        service(True, v1="2 of 100"),
        service(True, v2="2 of 100"),
        ["BM0621"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_helm_alone_would_harm_callers_where_the_gate_refuses_and_a_run_does_not(name: str) -> None:
    before, after, codes = CHANGES[name]
    alone = world(before, WANTS_2)
    alone.broken = frozenset({"2"})  # its new pods take longer than anybody looks
    assert findings(alone, after) == codes
    upgrade(alone, after)
    assert alone.met
    run = world(before, WANTS_2)
    session = sessions.plan([Wanted(REVIEWS, Path("r"), after)], run)
    assert session.findings == []
    assert carrying_out.Run(session, run, run, patience(run)).carry_out()
    assert run.met == []
