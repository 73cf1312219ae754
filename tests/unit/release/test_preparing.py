"""What comes before routes do: stories of whole runs are in tests/golden/releases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bookmesh.release import preparing, waiting
from bookmesh.release.contracts import ReleaseId

REVIEWS = ReleaseId("shop", "reviews")
LABELS = {"app.kubernetes.io/instance": "reviews"}


def deployment(track: str) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": f"reviews-{track}", "labels": LABELS, "annotations": {"a": "b"}},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": {**LABELS, "version": track}}}},
    }


def pod(track: str) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    return {
        "kind": "Pod",
        "metadata": {"name": track, "labels": {**LABELS, "version": track}},
        "status": status,
    }


def route(*tracks: str) -> dict[str, Any]:
    targets = [{"destination": {"host": "reviews", "subset": one}, "weight": 10} for one in tracks]
    return {"kind": "VirtualService", "metadata": {"name": "reviews"}, "spec": {"http": [{"route": targets}]}}


SERVICE = {"kind": "Service", "metadata": {"name": "reviews", "labels": LABELS}, "spec": {"selector": {}}}
ACCOUNT = {"kind": "ServiceAccount", "metadata": {"name": "new"}}
BEFORE = [deployment("v1"), SERVICE, route("v1")]
SEEN = [*BEFORE, pod("v1")]


def names(objects: list[dict[str, Any]]) -> list[str]:
    return [obj["metadata"]["name"] for obj in objects]


def test_a_track_with_traffic_comes_first_with_what_its_pods_need_and_its_owner() -> None:
    after = [deployment("v1"), deployment("v2"), SERVICE, ACCOUNT, route("v1", "v2")]
    found = preparing.missing(REVIEWS, after, BEFORE, SEEN)
    assert names(found) == ["new", "reviews-v2"]
    assert found[1]["metadata"]["annotations"] == {
        "a": "b",
        "meta.helm.sh/release-name": "reviews",
        "meta.helm.sh/release-namespace": "shop",
    }


@pytest.mark.parametrize(
    ("after", "seen"),
    [
        pytest.param([deployment("v2"), SERVICE, route("v1")], SEEN, id="it gets no traffic"),
        pytest.param(
            [deployment("v1"), deployment("v2"), SERVICE],
            SEEN,
            id="no route decides: only ready pods are asked",
        ),
        pytest.param([deployment("v2"), SERVICE, route("v2")], BEFORE, id="nobody is served now"),
        pytest.param([deployment("v1"), SERVICE, ACCOUNT, route("v1")], SEEN, id="it is there"),
    ],
)
def test_nothing_has_to_come_first(after: list[dict[str, Any]], seen: list[dict[str, Any]]) -> None:
    assert preparing.missing(REVIEWS, after, BEFORE, seen) == []


def test_where_no_route_decides_new_tracks_come_first_when_none_of_the_old_stays() -> None:
    assert names(preparing.missing(REVIEWS, [deployment("v2"), SERVICE], BEFORE, SEEN)) == ["reviews-v2"]


COMPLETE = {**deployment("v2"), "status": {"replicas": 1, "updatedReplicas": 1}}
TWO = [deployment("v1"), deployment("v2"), SERVICE, route("v1")]


@pytest.mark.parametrize(
    ("image", "pods", "found"),
    [
        pytest.param("old", [pod("v2")], [], id="it is what it is going to be"),
        pytest.param("new", [pod("v2")], ["reviews-v2"], id="its pods of today are others"),
        pytest.param("old", [], ["reviews-v2"], id="none of its pods is ready"),
    ],
)
def test_a_track_that_is_there_gets_traffic_when_it_is_as_wanted(
    image: str, pods: list[dict[str, Any]], found: list[str]
) -> None:
    wanted = {**deployment("v2"), "spec": deployment("v2")["spec"] | ({} if image == "old" else {"new": 1})}
    after = [deployment("v1"), wanted, SERVICE, route("v1", "v2")]
    seen = [deployment("v1"), COMPLETE, SERVICE, route("v1"), pod("v1"), *pods]
    assert names(preparing.missing(REVIEWS, after, TWO, seen)) == found


@dataclass
class Cluster:
    """A cluster whose Deployments never get any pod."""

    there: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def create(self, release: ReleaseId, obj: dict[str, Any]) -> None:
        what = "create" if "spec" not in obj or "new" in obj["spec"] else "restore"
        self.log.append(f"{what} {obj['metadata']['name']}")

    def delete(self, namespace: str, obj: dict[str, Any]) -> None:
        self.log.append(f"delete {obj['metadata']['name']}")

    def objects(self, namespace: str) -> list[dict[str, Any]]:
        return [deployment("v2")]


def test_what_never_gets_ready_does_not_stay_and_what_was_there_is_again() -> None:
    times = iter(range(100))
    events: list[waiting.Event] = []
    patience = waiting.Patience(events.append, 3, pause=lambda _s: None, clock=lambda: next(times))
    cluster = Cluster()
    new = {**deployment("v2"), "spec": deployment("v2")["spec"] | {"new": 1}}
    with pytest.raises(
        waiting.NotServedError, match="not within 3 s: before it gets traffic: deployment reviews-v2"
    ):
        preparing.bring_up(
            REVIEWS, [ACCOUNT, new], before=[deployment("v2")], cluster=cluster, patience=patience
        )
    assert cluster.log == ["create new", "create reviews-v2", "restore reviews-v2", "delete new"]
    assert [event.state for event in events] == ["waiting"], "the same problem is told once"
