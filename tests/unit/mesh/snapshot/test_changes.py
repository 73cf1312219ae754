"""What is said to differ between two snapshots; that nothing else does is a property of whole control planes."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import assembling
from bookmesh.mesh.snapshot import changes
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.snapshot.settings import MeshSettings

HOST = "web.shop.svc.cluster.local"


class World:
    def __init__(self) -> None:
        self.assembly = assembling.Assembly(domain="cluster.local")
        self.latest: snapshots.MeshSnapshot | None = None

    def build(self, *configs: parsing.Parsed, **changed: Any) -> snapshots.MeshSnapshot:
        registry = self.assembly.apply(assembling.Changes(**changed), configs)
        self.latest = snapshots.build(registry, configs, MeshSettings(), previous=self.latest)
        return self.latest


def parsed(kind: str, name: str, **spec: Any) -> parsing.Parsed:
    metadata = {"name": name, "namespace": "shop"}
    obj = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
    return parsing.parse(obj)


def route(timeout: str) -> parsing.Parsed:
    http = [{"route": [{"destination": {"host": "web"}}], "timeout": timeout}]
    return parsed("VirtualService", "web", hosts=["web"], http=http)


SERVICE = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "http", "port": 80}], "selector": {"app": "web"}},
}


def endpoint_slice(*ips: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": "http", "port": 80}],
        "endpoints": [{"addresses": [ip]} for ip in ips],
    }


KEY = ("shop", "web")


def test_changed_endpoints_are_told_by_host() -> None:
    world = World()
    before = world.build(services={KEY: SERVICE}, endpoint_slices={KEY: endpoint_slice("10.0.0.1")})
    after = world.build(endpoint_slices={KEY: endpoint_slice("10.0.0.2")})
    assert after.changes_since(before) == changes.Changes(frozenset({HOST}))
    assert after.changes_since(after) == changes.Changes()


def test_changed_route_is_told_as_it_was_and_as_it_is() -> None:
    world = World()
    before = world.build(route("1s"), services={KEY: SERVICE})
    after = world.build(route("2s"))
    told = after.changes_since(before)
    assert told is not None
    assert told.hosts == frozenset()
    assert told.routings == (*before.routings, *after.routings)


def test_changed_rule_is_told_with_the_hosts_that_it_is_for() -> None:
    world = World()
    before = world.build(services={KEY: SERVICE})
    rule = parsed("DestinationRule", "web", host="*.local")
    after = world.build(rule)
    assert after.changes_since(before) == changes.Changes(rules=(rule,), ruled=frozenset({HOST}))


def test_changed_service_is_told_by_host() -> None:
    world = World()
    before = world.build(services={KEY: SERVICE})
    other = {**SERVICE, "spec": {**SERVICE["spec"], "clusterIP": "10.96.0.2"}}
    after = world.build(services={KEY: other})
    assert after.changes_since(before) == changes.Changes(services=frozenset({HOST}))


def test_of_other_changes_and_older_snapshots_nothing_is_known() -> None:
    world = World()
    first = world.build(services={KEY: SERVICE})
    second = world.build(parsed("Gateway", "web"))
    assert second.changes_since(first) is None
    third = world.build(parsed("Gateway", "web"), endpoint_slices={KEY: endpoint_slice("10.0.0.1")})
    assert third.changes_since(second) is not None
    assert third.changes_since(first) is None
