"""Snapshots: content ids, merge order, lookups."""

from __future__ import annotations

import itertools
from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.snapshot.settings import MeshSettings


def virtual_service(
    name: str, *hosts: str, namespace: str = "shop", created: str = "", **spec: Any
) -> parsing.Parsed:
    return parsing.parse(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": created},
            "spec": {"hosts": list(hosts) or ["web"], "http": [{"redirect": {"uri": "/"}}], **spec},
        }
    )


def destination_rule(host: str) -> parsing.Parsed:
    return parsing.parse(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": host, "namespace": "shop"},
            "spec": {"host": host},
        }
    )


def build(*configs: parsing.Parsed, settings: MeshSettings | None = None) -> snapshots.MeshSnapshot:
    services = [{"metadata": {"name": "web", "namespace": "shop"}, "spec": {"clusterIP": "10.96.0.1"}}]
    return snapshots.build(registry.build(services, [], [], []), configs, settings or MeshSettings())


def test_same_content_gives_an_equal_snapshot_in_any_order() -> None:
    one, other = virtual_service("a"), virtual_service("b")
    assert build(one, other) == build(other, one)


def test_any_change_gives_another_snapshot() -> None:
    found = [
        build(),
        build(virtual_service("a")),
        build(virtual_service("a", exportTo=["."])),
        build(settings=MeshSettings(mtls_mode="STRICT")),
        snapshots.build(registry.Registry(), [], MeshSettings()),
    ]
    assert all(one != other for one, other in itertools.combinations(found, 2))


def test_unchanged_content_gives_the_very_same_snapshot() -> None:
    before = build(virtual_service("a"))
    assert snapshots.build(before.registry, before.configs, before.settings, previous=before) is before


def test_what_a_change_is_not_about_stays_the_same_object() -> None:
    kept, rule = virtual_service("kept"), destination_rule("web")
    before = build(kept, virtual_service("changed"), rule)
    changed = virtual_service("changed", exportTo=["."])
    after = snapshots.build(before.registry, [kept, changed, rule], before.settings, previous=before)
    assert after.policies is before.policies
    assert [one is other for one, other in zip(after.routings, before.routings, strict=True)] == [False, True]
    assert after == build(kept, changed, rule)


def test_older_objects_come_first_then_names() -> None:
    configs = [
        virtual_service("z", created="2026-01-01T00:00:00Z"),
        virtual_service("b", created="2026-01-02T00:00:00Z"),
        virtual_service("a", created="2026-01-02T00:00:00Z"),
    ]
    assert [rule.ref.name for rule in build(*configs).routings] == ["z", "a", "b"]


def test_object_that_cannot_be_parsed_is_kept_but_routes_nothing() -> None:
    broken = virtual_service("broken", http=[{}])
    snapshot = build(broken)
    assert snapshot.routings == ()
    assert [config.ref.name for config in snapshot.configs] == ["broken"]


def test_routings_are_found_by_gateway_and_namespace() -> None:
    snapshot = build(
        virtual_service("mesh"),
        virtual_service("edge", gateways=["main"]),
        virtual_service("far", gateways=["other/main", "mesh"]),
        virtual_service("private", exportTo=["."]),
    )

    def names(gateway: str, namespace: str) -> list[str]:
        return [rule.ref.name for rule in snapshot.routings_for(gateway, namespace)]

    assert names("mesh", "shop") == ["private", "far", "mesh"]
    assert names("mesh", "elsewhere") == ["far", "mesh"]
    assert names("shop/main", "edge") == ["edge"]
    assert names("other/main", "edge") == ["far"]


def test_exact_host_wins_then_the_oldest() -> None:
    snapshot = build(
        virtual_service("wide", "*.svc.cluster.local", created="2025-01-01T00:00:00Z"),
        virtual_service("younger", created="2026-01-02T00:00:00Z"),
        virtual_service("older", created="2026-01-01T00:00:00Z"),
    )

    def chosen(host: str) -> str | None:
        rule = snapshot.index.find(host, lambda rule: True, rank=lambda rule: 0)
        return rule.ref.name if rule is not None else None

    assert chosen("web.shop.svc.cluster.local") == "older"
    assert chosen("other.shop.svc.cluster.local") == "wide"
    assert chosen("example.com") is None
