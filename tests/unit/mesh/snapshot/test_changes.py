"""What is said to differ between two snapshots; that nothing else does is a property of whole control planes."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import envoy_filters, gateways, parsing, peer_authentications, sidecars
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
    group = "security" if kind == "PeerAuthentication" else "networking"
    version = "v1alpha3" if kind == "EnvoyFilter" else "v1"
    obj = {"apiVersion": f"{group}.istio.io/{version}", "kind": kind, "metadata": metadata, "spec": spec}
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
POD = {
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "labels": {"app": "web", "security.istio.io/tlsMode": "istio"},
    },
    "spec": {"containers": [{"name": "web"}]},
    "status": {"podIP": "10.0.0.1", "phase": "Running"},
}


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


@pytest.mark.parametrize(
    ("kind", "spec", "model"),
    [
        ("Gateway", {"servers": []}, gateways.Gateway),
        ("Sidecar", {}, sidecars.Sidecar),
        ("EnvoyFilter", {}, envoy_filters.EnvoyFilter),
    ],
)
def test_of_what_few_things_depend_on_the_kind_is_told(kind: str, spec: Any, model: type) -> None:
    world = World()
    before = world.build(services={KEY: SERVICE})
    after = world.build(parsed(kind, "web", **spec))
    assert after.changes_since(before) == changes.Changes(others=frozenset({model}))


@pytest.mark.parametrize(("mode", "hosts"), [("DISABLE", frozenset({HOST})), ("STRICT", frozenset[str]())])
def test_changed_policy_of_pods_is_told_by_the_hosts_that_are_called_otherwise(
    mode: str, hosts: frozenset[str]
) -> None:
    world = World()
    before = world.build(
        services={KEY: SERVICE}, pods={KEY: POD}, endpoint_slices={KEY: endpoint_slice("10.0.0.1")}
    )
    selector = {"matchLabels": {"app": "web"}}
    policy = parsed("PeerAuthentication", "web", selector=selector, mtls={"mode": mode})
    elsewhere = parsed(
        "PeerAuthentication", "db", selector={"matchLabels": {"app": "db"}}, mtls={"mode": mode}
    )
    after = world.build(policy)
    others = frozenset({peer_authentications.PeerAuthentication})
    assert after.changes_since(before) == changes.Changes(
        hosts=hosts, others=others, accepting=frozenset({HOST})
    )
    assert world.build(policy, elsewhere).changes_since(after) == changes.Changes(others=others)


def test_of_other_changes_and_older_snapshots_nothing_is_known() -> None:
    world = World()
    first = world.build(services={KEY: SERVICE})
    second = world.build(parsed("WorkloadGroup", "web", template={}))
    assert second.changes_since(first) is None
    third = world.build(
        parsed("WorkloadGroup", "web", template={}), endpoint_slices={KEY: endpoint_slice("10.0.0.1")}
    )
    assert third.changes_since(second) is not None
    assert third.changes_since(first) is None
