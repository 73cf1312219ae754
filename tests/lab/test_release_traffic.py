"""
One application in two versions, from its installation to its end, while people use it: nobody may notice.

The chart of reviews with the real Helm library; 200 requests a second through a way in of its own, each on a connection
of its own. A table says how many there were in each step, and who answered.

Helm writes routes and Deployments at once, so a track that comes back has weight before it has a pod. Other tracks
stand in for it until then; with that switched off requests fail, which shows that the load notices.
"""

from __future__ import annotations

import contextlib
import http.client
import sys
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python
import pytest
from tests.charts import rendering
from tests.lab import labs, visiting

from bookmesh.tasks import splits

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

CHARTS = Path(__file__).parents[2] / "charts"
NAMESPACE = "release-traffic"
HOST = "reviews.example"
RATE = 200
EVERYTHING = (
    "deployments,pods,services,serviceaccounts,virtualservices,destinationrules,gateways.networking.istio.io"
)
LOOK = 300
"""Requests after each step, so that what it leads to is seen, too."""
CONFIDENCE = 1 - 1e-8


def values(
    v1: dict[str, Any] | None, v2: dict[str, Any], v3: dict[str, Any] | None = None, *, failover: bool = True
) -> dict[str, Any]:
    """Values of the chart; None retires v1, and is a v3 that never was."""
    probe = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1}
    if not failover:  # weight without a pod lasts long enough to be noticed
        probe["initialDelaySeconds"] = 4
    return {
        "pod": {
            "replicas": 2,
            "probes": {"readiness": probe},
            # By itself a pod goes on for a second after it is told to end: callers hear of it later on a busy machine.
            "env": {"SHUTDOWN_DELAY_S": "4"},
        },
        "routing": {"kind": "VirtualService", "failover": failover},
        "ingress": {"kind": "Gateway", "hosts": [HOST], "paths": ["/reviews"]},
        "versions": {"v1": {"enabled": False} if v1 is None else v1, "v2": v2, "v3": v3},
    }


def at(weight: int, tag: str = "0.1.0") -> dict[str, Any]:
    return {"weight": weight, "image": {"tag": tag}}


STEPS = (
    ("bump v2's image", values(at(100), at(0, "0.1.1")), {"v1": 100}),
    ("shift 90/10", values(at(90), at(10, "0.1.1")), {"v1": 90, "v2": 10}),
    ("shift 50/50", values(at(50), at(50, "0.1.1")), {"v1": 50, "v2": 50}),
    ("bump v2 again", values(at(50), at(50, "0.1.2")), {"v1": 50, "v2": 50}),
    ("retire v1", values(None, at(100, "0.1.2")), {"v2": 100}),
)
BEGINNING, HALF, RETIRED = 1, 5, 6
"""Revisions: the installation is the first."""


def track_of(text: str) -> str:
    """Who answered: v1 has no ratings, v2 black ones, v3 red ones."""
    if '"rating"' not in text:
        return "v1"
    return "v3" if '"red"' in text else "v2"


@pytest.fixture
def helm(bookinfo: labs.Lab) -> Iterator[helm_python.Config]:
    bookinfo.kubectl("create", "namespace", NAMESPACE)
    bookinfo.kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled")
    kubeconfig = bookinfo.bookmesh("kubeconfig").stdout
    with helm_python.Config(kubeconfig_content=kubeconfig, namespace=NAMESPACE) as config:
        yield config
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


class Table:
    """A row a step: how many asked, how many failed, and the share of each track among the answers after the step."""

    def __init__(self, visitors: visiting.Visitors) -> None:
        self._visitors = visitors
        self._rows: list[tuple[str, int, int, Counter[str]]] = []
        self._asked = self._failed = 0

    def add(self, step: str, shares: dict[str, int]) -> None:
        """Wait until these tracks answer with these shares, as the step wants it, then look whether it stays so."""
        visitors = self._visitors
        labs.wait_until(lambda: have_shares(visitors.look(LOOK), shares), what=f"{step}: {shares}")
        answers = visitors.look(LOOK)
        asked, failed = visitors.asked, len(visitors.failures)
        self._rows.append((step, asked - self._asked, failed - self._failed, answers))
        self._asked, self._failed = asked, failed
        assert have_shares(answers, shares), (step, answers, shares)

    def failed(self, step: str) -> int:
        return sum(failed for name, _, failed, _ in self._rows if name == step)

    def print(self) -> None:
        lines = [f"\n{'step':<34}{'requests':>10}{'failed':>8}  answers after it"]
        for step, asked, failed, answers in self._rows:
            shares = ", ".join(f"{track} {answers[track] / answers.total():.0%}" for track in sorted(answers))
            lines.append(f"{step:<34}{asked:>10}{failed:>8}  {shares}")
        sys.stdout.write("\n".join(lines) + "\n")


def have_shares(answers: Counter[str], expected: dict[str, int]) -> bool:
    """Within what chance allows; nobody else may answer."""
    bounds = splits.bounds_for_weights(expected, answers.total(), confidence=CONFIDENCE)
    within = all(low <= answers[track] <= high for track, (low, high) in bounds.items())
    return within and answers.keys() <= expected.keys()


@pytest.fixture
def visitors(bookinfo: labs.Lab, helm: helm_python.Config) -> visiting.Visitors:
    """Visitors of reviews, who do not come yet; what reviews asks is there."""
    helm.install(CHARTS / "ratings", "ratings", {}, wait="watcher", timeout=60)
    return visiting.Visitors(urllib.parse.urljoin(bookinfo.page, "/reviews/0"), RATE, HOST, track_of)


def upgrade(helm: helm_python.Config, wanted: dict[str, Any]) -> None:
    helm.upgrade(CHARTS / "reviews", "reviews", wanted, reset_values=True, wait="watcher", timeout=60)


def install(helm: helm_python.Config, wanted: dict[str, Any], visitors: visiting.Visitors) -> None:
    helm.install(CHARTS / "reviews", "reviews", wanted, wait="watcher", timeout=60)
    weighted = {track for track, version in wanted["versions"].items() if version and version.get("weight")}
    wait_for_tracks(visitors.url, weighted)


def roll_back_by_bookmesh(lab: labs.Lab, revision: int) -> None:
    """`bookmesh release rollback`, under the name of this program, who owns what it installed (ADR 0027)."""
    program = [sys.executable, "-c", "from bookmesh.cli import main; main.main()"]
    command = ["release", "rollback", "--name", lab.name, "reviews", str(revision), "-n", NAMESPACE]
    labs.run([*program, *command], env=lab.env)


def test_nobody_notices_the_life_of_two_versions(
    bookinfo: labs.Lab, helm: helm_python.Config, visitors: visiting.Visitors
) -> None:
    install(helm, values(at(100), at(0)), visitors)
    table = Table(visitors)
    with visitors.coming():
        table.add("install", {"v1": 100})
        for step, wanted, shares in STEPS:
            upgrade(helm, wanted)
            table.add(step, shares)
        for step, revision, shares in (
            ("helm rollback: tracks and weights", HALF, {"v1": 50, "v2": 50}),
            ("helm rollback: retired again", RETIRED, {"v2": 100}),
            ("helm rollback: to the beginning", BEGINNING, {"v1": 100}),
            ("helm rollback: and retired", RETIRED, {"v2": 100}),
        ):
            helm.rollback("reviews", version=revision, wait="watcher", timeout=60)
            table.add(step, shares)
        roll_back_by_bookmesh(bookinfo, HALF)
        table.add("bookmesh release rollback", {"v1": 50, "v2": 50})
    table.print()
    assert visitors.failures == []
    helm.uninstall("reviews", wait="legacy", timeout=60)
    labs.wait_until(lambda: status(visitors.url) == http.client.NOT_FOUND, what="the way in is closed")
    labs.wait_until(lambda: not left_of_reviews(bookinfo), what="nothing is left")


def test_nobody_notices_a_track_that_comes_with_its_weight_and_goes(
    helm: helm_python.Config, visitors: visiting.Visitors
) -> None:
    """A dark track is there: it answers nobody, since others with weight do."""
    install(helm, values(at(100), at(0)), visitors)
    table = Table(visitors)
    with visitors.coming():
        table.add("install", {"v1": 100})
        before = visitors.kinds["v2"]
        upgrade(helm, values(at(70), at(0), at(30)))
        table.add("upgrade: v3 with 30", {"v1": 70, "v3": 30})
        helm.rollback("reviews", version=1, wait="watcher", timeout=60)
        table.add("helm rollback: without v3", {"v1": 100})
        helm.rollback("reviews", version=2, wait="watcher", timeout=60)
        table.add("helm rollback: with v3", {"v1": 70, "v3": 30})
    table.print()
    assert visitors.failures == []
    assert visitors.kinds["v2"] == before


def test_without_failover_a_track_that_comes_back_with_its_weight_is_noticed(
    helm: helm_python.Config, visitors: visiting.Visitors
) -> None:
    install(helm, values(at(50), at(50), failover=False), visitors)
    table = Table(visitors)
    with visitors.coming():
        upgrade(helm, values(at(0), at(100), failover=False))
        table.add("shift 0/100", {"v2": 100})
        upgrade(helm, values(None, at(100), failover=False))
        table.add("retire v1", {"v2": 100})
        noticed = list(visitors.failures)
        helm.rollback("reviews", version=1, wait="watcher", timeout=60)
        table.add("helm rollback", {"v1": 50, "v2": 50})
    table.print()
    assert noticed == []
    assert table.failed("helm rollback") > 0


@pytest.mark.parametrize(
    "package", sorted(rendering.RELEASED.glob("*/reviews-*.tgz")), ids=lambda path: path.name
)
def test_nobody_notices_the_upgrade_from_an_earlier_chart_and_back(
    bookinfo: labs.Lab, helm: helm_python.Config, package: Path
) -> None:
    earlier = values(at(50), at(50))
    earlier["routing"].pop("failover")
    helm.install(package, "reviews", earlier, wait="watcher", timeout=60)
    url = urllib.parse.urljoin(bookinfo.page, "/reviews/0")
    wait_for_tracks(url, {"v1", "v2"})
    visitors = visiting.Visitors(url, RATE, HOST)
    with visitors.coming():
        visitors.wait_for_more(LOOK)
        upgrade(helm, values(at(50, "0.1.1"), at(50)))
        visitors.wait_for_more(LOOK)
        helm.rollback("reviews", version=1, wait="watcher", timeout=60)
        visitors.wait_for_more(LOOK)
    assert visitors.failures == []


def left_of_reviews(lab: labs.Lab) -> str:
    return lab.kubectl("get", EVERYTHING, "-n", NAMESPACE, "-l", "app=reviews", "-o", "name").stdout


def status(url: str) -> int:
    return labs.request(url, headers={"Host": HOST}).status


def wait_for_tracks(url: str, tracks: set[str]) -> None:
    """Return when each of them has answered: a proxy learns of the pods of one after those of another."""
    seen: set[str] = set()

    def all_seen() -> bool:
        with contextlib.suppress(OSError):
            answer = labs.request(url, headers={"Host": HOST})
            if answer.status == http.client.OK:
                seen.add(track_of(answer.text))
        return tracks <= seen

    labs.wait_until(all_seen, what=f"answers of {', '.join(sorted(tracks))}")
