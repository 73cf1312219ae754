from __future__ import annotations

from tests.unit.cli.explain import test_matching
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.explain import sources, trails


def test_the_same_source_is_named_once_a_step() -> None:
    trail = trails.Trail(trails.Proxy(small_dumps.dump()), test_matching.request(), sources.World())
    trail.add("cluster", "a", "why", [sources.Source("Service default/a")] * 2)
    assert trail.steps[0].as_json() == {
        "stage": "cluster",
        "name": "a",
        "why": "why",
        "sources": [{"object": "Service default/a", "field": ""}],
    }
    assert trail.place == sources.Place(9080)


def test_hosts_are_kept_by_cluster() -> None:
    found = trails.statuses_of(small_dumps.STATUSES)
    assert {name: len(hosts) for name, hosts in found.items()} == {
        small_dumps.cluster("v1"): 1,
        small_dumps.cluster("v2"): 0,
    }
