"""
One application in two versions, from its installation to its end, while people use it: nobody may notice.

The chart of reviews with the real Helm library; 200 requests a second through a way in of its own, each on a connection
of its own. A table says how many there were in each step, and who answered.

Helm writes routes and Deployments at once, so its way back to a revision where a retired track has traffic is by one
where that track has none, or `bookmesh release rollback`. What happens on the straight way shows that the load notices.
"""

from __future__ import annotations

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

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

CHARTS = Path(__file__).parents[2] / "charts"
NAMESPACE = "release-traffic"
HOST = "reviews.example"
RATE = 200
STRAIGHT = "helm rollback, straight"
EVERYTHING = (
    "deployments,pods,services,serviceaccounts,virtualservices,destinationrules,gateways.networking.istio.io"
)
LOOK = 200
"""Requests after each step, so that what it leads to is seen, too."""


def values(v1: dict[str, Any] | None, v2: dict[str, Any]) -> dict[str, Any]:
    """Values of the chart; None retires v1."""
    fast = {"readiness": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1}}
    return {
        "pod": {"replicas": 2, "probes": fast},
        "routing": {"kind": "VirtualService"},
        "ingress": {"kind": "Gateway", "hosts": [HOST], "paths": ["/reviews"]},
        "versions": {"v1": {"enabled": False} if v1 is None else v1, "v2": v2, "v3": None},
    }


def at(weight: int, tag: str = "0.1.0") -> dict[str, Any]:
    return {"weight": weight, "image": {"tag": tag}}


STEPS = (
    ("bump v2's image", values(at(100), at(0, "0.1.1")), {"v1": 100}),
    ("shift 90/10", values(at(90), at(10, "0.1.1")), {"v1": 90, "v2": 10}),
    ("shift 50/50", values(at(50), at(50, "0.1.1")), {"v1": 50, "v2": 50}),
    ("bump v2 again", values(at(50), at(50, "0.1.2")), {"v1": 50, "v2": 50}),
    ("shift 0/100", values(at(0), at(100, "0.1.2")), {"v2": 100}),
    ("retire v1", values(None, at(100, "0.1.2")), {"v2": 100}),
)


def track_of(text: str) -> str:
    """Who answered: only v2 has ratings, in black."""
    return "v2" if '"rating"' in text else "v1"


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

    def add(self, step: str) -> Counter[str]:
        visitors = self._visitors
        visitors.wait_for_more(RATE // 2)  # those that came before the step was over
        before = visitors.kinds.copy()
        visitors.wait_for_more(LOOK)
        answers = visitors.kinds - before
        asked, failed = visitors.asked, len(visitors.failures)
        self._rows.append((step, asked - self._asked, failed - self._failed, answers))
        self._asked, self._failed = asked, failed
        return answers

    def failed(self, step: str) -> int:
        return sum(failed for name, _, failed, _ in self._rows if name == step)

    def print(self) -> None:
        lines = [f"\n{'step':<34}{'requests':>10}{'failed':>8}  answers after it"]
        for step, asked, failed, answers in self._rows:
            shares = ", ".join(f"{track} {answers[track] / answers.total():.0%}" for track in sorted(answers))
            lines.append(f"{step:<34}{asked:>10}{failed:>8}  {shares}")
        sys.stdout.write("\n".join(lines) + "\n")


def assert_shares(answers: Counter[str], expected: dict[str, int]) -> None:
    """Within what 200 requests can tell: 90/10 is not 50/50. One that came early may still be among them."""
    for track in answers.keys() | expected.keys():
        percent = expected.get(track, 0)
        tolerance = 15 if 0 < percent < 100 else 2
        assert abs(100 * answers[track] / answers.total() - percent) <= tolerance, (track, answers)


def test_nobody_notices_the_life_of_two_versions(bookinfo: labs.Lab, helm: helm_python.Config) -> None:
    helm.install(CHARTS / "ratings", "ratings", {}, wait="watcher", timeout=60)
    helm.install(CHARTS / "reviews", "reviews", values(at(100), at(0)), wait="watcher", timeout=60)
    url = urllib.parse.urljoin(bookinfo.page, "/reviews/0")
    labs.wait_until(lambda: answers(url), what="reviews answers")
    visitors = visiting.Visitors(url, RATE, HOST, track_of)
    table = Table(visitors)
    with visitors.coming():
        assert_shares(table.add("install"), {"v1": 100})
        for step, wanted, shares in STEPS:
            helm.upgrade(CHARTS / "reviews", "reviews", wanted, reset_values=True, wait="watcher", timeout=60)
            assert_shares(table.add(step), shares)
        half, idle = revision_after("bump v2 again"), revision_after("shift 0/100")
        helm.rollback("reviews", version=idle, wait="watcher", timeout=60)
        assert_shares(table.add("helm rollback: the track"), {"v2": 100})
        helm.rollback("reviews", version=half, wait="watcher", timeout=60)
        assert_shares(table.add("helm rollback: its weight"), {"v1": 50, "v2": 50})
        retire(helm)
        assert_shares(table.add("retire v1 again"), {"v2": 100})
        bookinfo.release("rollback", "reviews", str(half), "-n", NAMESPACE)
        assert_shares(table.add("bookmesh release rollback"), {"v1": 50, "v2": 50})
        retire(helm)
        assert_shares(table.add("and again"), {"v2": 100})
        noticed = list(visitors.failures)
        helm.rollback("reviews", version=half, wait="watcher", timeout=60)
        assert_shares(table.add(STRAIGHT), {"v1": 50, "v2": 50})
    table.print()
    assert noticed == []
    assert table.failed(STRAIGHT) > 0, (
        "the load does not notice a track without pods: then it notices nothing"
    )
    helm.uninstall("reviews", wait="legacy", timeout=60)
    labs.wait_until(lambda: status(url) == http.client.NOT_FOUND, what="the way in is closed")
    labs.wait_until(lambda: not left_of_reviews(bookinfo), what="nothing is left")


@pytest.mark.parametrize(
    "package", sorted(rendering.RELEASED.glob("*/reviews-*.tgz")), ids=lambda path: path.name
)
def test_nobody_notices_the_upgrade_from_an_earlier_chart(
    bookinfo: labs.Lab, helm: helm_python.Config, package: Path
) -> None:
    helm.install(package, "reviews", values(at(50), at(50)), wait="watcher", timeout=60)
    url = urllib.parse.urljoin(bookinfo.page, "/reviews/0")
    labs.wait_until(lambda: answers(url), what="reviews answers")
    visitors = visiting.Visitors(url, RATE, HOST)
    with visitors.coming():
        visitors.wait_for_more(LOOK)
        now = values(at(50, "0.1.1"), at(50))
        helm.upgrade(CHARTS / "reviews", "reviews", now, reset_values=True, wait="watcher", timeout=60)
        visitors.wait_for_more(LOOK)
    assert visitors.failures == []


def retire(helm: helm_python.Config) -> None:
    """First its traffic, then its pods: both at once would leave the order to chance."""
    for _, wanted, _ in STEPS[-2:]:
        helm.upgrade(CHARTS / "reviews", "reviews", wanted, reset_values=True, wait="watcher", timeout=60)


def revision_after(step: str) -> int:
    """The installation is 1."""
    return next(number for number, (name, _, _) in enumerate(STEPS, start=2) if name == step)


def left_of_reviews(lab: labs.Lab) -> str:
    return lab.kubectl("get", EVERYTHING, "-n", NAMESPACE, "-l", "app=reviews", "-o", "name").stdout


def status(url: str) -> int:
    return labs.request(url, headers={"Host": HOST}).status


def answers(url: str) -> bool:
    try:
        return status(url) == http.client.OK
    except OSError:
        return False
