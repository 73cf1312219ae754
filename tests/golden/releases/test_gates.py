"""
When different rules let a caller A be upgraded that needs what only the next version of B serves.

Each moment is a cluster; the rules are our doubles of what tools do, with their documentation as source. Too early is
when A goes while callers of B get an answer that A cannot live with. The table of docs/guides/releases.md is the one
that is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.golden.releases import worlds

from bookmesh.release import judging, ranges, serving
from bookmesh.release.contracts import ReleaseId, Requirement
from bookmesh.release.files import Wanted

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "releases.md"
REVIEWS = ReleaseId("shop", "reviews")
NEED = Requirement(REVIEWS, "reviews-api", ranges.parse_range(">=2"))


@dataclass(frozen=True)
class Moment:
    """
    `has_begun`: whether the upgrade of B was sent to the cluster; `is_in_run`: whether it is among what is carried out
    now, with A.
    """

    name: str
    view: serving.Serving
    has_begun: bool = True
    is_in_run: bool = True

    @property
    def is_finished(self) -> bool:
        """Every Deployment of B has its pods, all of them new and ready: what `helm --wait` waits for."""
        return judging.unfinished(self.view) == ""

    @property
    def answers(self) -> str:
        """Versions of the contract that callers of B get."""
        ready = [one for one in self.view.backends if one.is_ready and self.view.is_routed(one.track)]
        return " and ".join(sorted({str(one.provides["reviews-api"][0]) for one in ready}))


def pods_are_ready(moment: Moment) -> bool:
    """Of readiness alone: as many ready pods as wanted, of whatever version (`kubectl wait pod`, init containers)."""
    view = moment.view
    return all(
        sum(one.is_ready for one in view.backends if one.track == rollout.track) >= rollout.wanted
        for rollout in view.rollouts
    )


def release_is_ready(moment: Moment) -> bool:
    """
    Flux's `dependsOn`: condition Ready of B's HelmRelease, which speaks of what its controller did last. Until it gets
    to the new version that is the old one.
    """
    return not moment.has_begun or moment.is_finished


def command_is_over(moment: Moment) -> bool:
    """Helmfile's `needs`, with `wait: true`: B's command in the same run is over; what is not in it is not asked."""
    return not moment.is_in_run or (moment.has_begun and moment.is_finished)


def contract_is_served(moment: Moment) -> bool:
    """Ours."""
    return judging.judge(NEED, moment.view).is_satisfied


RULES: dict[str, Callable[[Moment], bool]] = {
    "pods are ready": pods_are_ready,
    "release is ready (as Flux)": release_is_ready,
    "command is over (as Helmfile)": command_is_over,
    "`bookmesh release`": contract_is_served,
}


def world(**settings: Any) -> worlds.World:
    """B as it has long been: two pods that serve version 1."""
    made = worlds.World(**settings)
    made.install(REVIEWS, tracks("1"))
    return made


def tracks(contract: str) -> dict[str, Any]:
    return {"tracks": {"v1": {"provides": {"reviews-api": contract}, "image": contract}}}


def upgraded(
    made: worlds.World, values: dict[str, Any], until: Callable[[serving.Serving], bool]
) -> serving.Serving:
    """Upgrade B, and look when `until` holds for the first time."""
    made.apply(Wanted(REVIEWS, Path("reviews"), values))
    for _ in range(100):
        made.pause(0.25)
        view = serving.observe(REVIEWS, made.objects("shop"))
        if until(view):
            return view
    raise AssertionError("it never came to that")


def has_new_ready_pod(view: serving.Serving) -> bool:
    return any(one.is_ready and one.provides["reviews-api"] == (2, 0, 0) for one in view.backends)


def has_unready_pod(view: serving.Serving) -> bool:
    return any(not one.is_ready for one in view.backends)


def is_finished(view: serving.Serving) -> bool:
    return judging.unfinished(view) == ""


def moments() -> Iterator[Moment]:
    before = serving.observe(REVIEWS, world().objects("shop"))
    canary = {"weights": {"v1": 90, "v2": 10}}
    canary |= {"tracks": {**tracks("1")["tracks"], "v2": {"provides": {"reviews-api": "2"}, "image": "2"}}}
    yield Moment("both are bumped at once", before, has_begun=False)
    yield Moment("B's first new pod is ready", upgraded(world(), tracks("2"), has_new_ready_pod))
    broken = world(broken=frozenset({"2"}))
    yield Moment("B's new pods never get ready", upgraded(broken, tracks("2"), has_unready_pod))
    yield Moment("B's new track has 10 % of the traffic", upgraded(world(), canary, is_finished))
    yield Moment("A is upgraded alone", before, has_begun=False, is_in_run=False)
    yield Moment("B's last old pod is gone", upgraded(world(), tracks("2"), is_finished))


def table() -> list[str]:
    """The rows of the guide."""
    rows = [["moment", "callers of B get", *RULES], ["---"] * (len(RULES) + 2)]
    for moment in moments():
        cells = [verdict(moment, rule) for rule in RULES.values()]
        rows.append([moment.name, moment.answers, *cells])
    return [f"| {' | '.join(row)} |".replace("| --- ", "|---").replace("--- |", "---|") for row in rows]


def verdict(moment: Moment, rule: Callable[[Moment], bool]) -> str:
    if not rule(moment):
        return "A waits"
    return "A goes" if moment.answers == "2" else "**A goes, too early**"


def test_the_table_of_the_guide_is_what_the_rules_do() -> None:
    assert "\n".join(table()) in GUIDE.read_text()


@pytest.mark.parametrize("name", RULES)
def test_only_what_asks_for_the_contract_is_never_too_early(name: str) -> None:
    too_early = [one.name for one in moments() if "early" in verdict(one, RULES[name])]
    assert bool(too_early) is (RULES[name] is not contract_is_served)


def test_every_rule_lets_the_caller_go_in_the_end() -> None:
    *_, last = moments()
    assert {verdict(last, rule) for rule in RULES.values()} == {"A goes"}
