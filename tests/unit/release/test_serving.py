from __future__ import annotations

from typing import Any

import pytest

from bookmesh.release import serving
from bookmesh.release.contracts import ReleaseId

REVIEWS = ReleaseId("shop", "reviews")
LABELS = {"app.kubernetes.io/instance": "reviews"}


def service(name: str = "reviews", **selector: str) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": name, "labels": LABELS}, "spec": {"selector": selector}}


def virtual_service(*routes: list[dict[str, Any]]) -> dict[str, Any]:
    http = [{"route": route, "mirror": {"host": "reviews", "subset": "mirrored"}} for route in routes]
    return {"kind": "VirtualService", "metadata": {"name": "r"}, "spec": {"http": http}}


def to(subset: str | None, weight: int | None = None, host: str = "reviews") -> dict[str, Any]:
    destination = {"host": host} | ({"subset": subset} if subset else {})
    return {"destination": destination} | ({"weight": weight} if weight is not None else {})


def http_route(*backends: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "HTTPRoute",
        "metadata": {"name": "r"},
        "spec": {"rules": [{"backendRefs": list(backends)}]},
    }


@pytest.mark.parametrize(
    ("route", "shares"),
    [
        (virtual_service([to("v1", 90), to("v2", 10)]), {"v1", "v2"}),
        (virtual_service([to("v1", 100), to("v2", 0)]), {"v1"}),
        (virtual_service([to("v2")], [to("v1", 100), to("v3", 0)]), {"v1", "v2"}),
        (virtual_service([to("v1", 100), to("v2")]), {"v1"}),
        (virtual_service([to("v1", host="reviews.shop.svc.cluster.local")]), {"v1"}),
        (virtual_service([to("v1", host="reviews.other.svc.cluster.local")]), None),
        (virtual_service([to("v1"), to(None, 50)]), None),
        (virtual_service([to(None)]), None),
        (http_route({"name": "reviews-v1", "weight": 1}, {"name": "reviews-v2", "weight": 0}), {"v1"}),
        (http_route({"name": "reviews-v1"}, {"name": "reviews-v2"}), {"v1", "v2"}),
        (http_route({"name": "reviews"}), None),
        (http_route({"name": "somebody-else"}), None),
    ],
)
def test_routes_say_which_tracks_get_traffic(route: dict[str, Any], shares: set[str] | None) -> None:
    objects = [
        service(app="reviews"),
        service("reviews-v1", app="reviews", version="v1"),
        service("reviews-v2", app="reviews", version="v2"),
        route,
    ]
    assert serving.observe(REVIEWS, objects).shares == shares


def test_a_route_that_reaches_all_pods_outweighs_one_that_does_not() -> None:
    objects = [service(app="reviews"), virtual_service([to("v1")]), virtual_service([to(None)])]
    assert serving.observe(REVIEWS, objects).shares is None


def pod(name: str, **changes: Any) -> dict[str, Any]:
    labels = {**LABELS, "version": "v1"}
    ready = {"type": "Ready", "status": "True"}
    metadata = {
        "name": name,
        "labels": labels,
        "annotations": {"bookmesh.dev/provides": '{"reviews-api":"1"}'},
    }
    status = {"phase": "Running", "conditions": [ready]}
    return {"kind": "Pod", "metadata": metadata | changes.pop("metadata", {}), "status": status | changes}


def test_pods_that_end_or_belong_to_others_do_not_serve() -> None:
    objects = [
        pod("here"),
        pod("starting", conditions=[]),
        pod("leaving", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        pod("over", phase="Succeeded"),
        pod("elsewhere", metadata={"namespace": "other"}),
        pod("of somebody else", metadata={"labels": {}}),
    ]
    found = serving.observe(REVIEWS, objects).backends
    assert [(one.pod, one.is_ready) for one in found] == [("here", True), ("starting", False)]
    assert found[0].provides == {"reviews-api": (1, 0, 0)}
    assert found[0].track == "v1"


def failover_rule(*tracks: str) -> dict[str, Any]:
    """For each track a subset in which others stand in, and a strict one."""
    found: list[dict[str, Any]] = []
    for track in tracks:
        setting = {"localityLbSetting": {"failoverPriority": [f"version={track}"]}}
        policy = {"loadBalancer": setting, "outlierDetection": {}}
        found.append({"name": track, "labels": {}, "trafficPolicy": policy})
        found.append({"name": f"{track}-only", "labels": {"version": track}})
    return {
        "kind": "DestinationRule",
        "metadata": {"name": "r"},
        "spec": {"host": "reviews", "subsets": found},
    }


def test_an_idle_track_gets_traffic_while_it_stands_in_for_another() -> None:
    rule, route = failover_rule("v1", "v2"), virtual_service([to("v1", 0), to("v2", 100)])
    objects = [service(version="v1"), pod("old"), rule, route]
    assert serving.observe(REVIEWS, objects).shares == {"v1", "v2"}
    new = pod("new", metadata={"labels": {**LABELS, "version": "v2"}})
    assert serving.observe(REVIEWS, [service(), pod("old"), new, rule, route]).shares == {"v2"}


def test_a_strict_subset_is_answered_by_its_track_alone() -> None:
    rule = failover_rule("v1", "v2")
    route = virtual_service([to("v2-only")], [to("v1", 100)])
    found = serving.observe(REVIEWS, [service(), pod("old"), rule, route])
    assert (found.shares, found.strict) == ({"v1", "v2"}, {"v2"})


def test_a_rollout_is_read_from_specification_and_status() -> None:
    deployment = {
        "kind": "Deployment",
        "metadata": {"name": "reviews-v1", "labels": LABELS, "generation": 3},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": {"version": "v1"}}}},
        "status": {"observedGeneration": 2, "updatedReplicas": 1, "replicas": 3},
    }
    (rollout,) = serving.observe(REVIEWS, [deployment]).rollouts
    assert rollout == serving.Rollout("reviews-v1", "v1", is_observed=False, wanted=2, updated=1, replicas=3)
