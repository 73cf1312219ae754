"""All resources of a proxy, changed."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.translate.patching import changes

from bookmesh.mesh.translate import built, caching
from bookmesh.mesh.translate.patching import patching
from bookmesh.mesh.wire import cluster as cluster_wire
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import type_urls

ADDED = {"name": "added"}


def parts() -> list[built.Built]:
    clusters = [
        built.Built(type_urls.CLUSTER, n, cluster_wire.Cluster(name=n))
        for n in ("outbound|80||a", "inbound|1||")
    ]
    assignment = cluster_wire.ClusterLoadAssignment(cluster_name="outbound|80||a")
    endpoints = built.Built(type_urls.ENDPOINTS, "outbound|80||a", assignment)
    listener = built.Built(type_urls.LISTENER, "virtualInbound", wire.Listener(name="virtualInbound"))
    return [*clusters, endpoints, listener]


def patcher(cache: caching.Cache, *given: dict[str, Any], is_router: bool = False) -> patching.Patcher:
    return patching.Patcher(changes.patches(*given), is_router=is_router, ports=(), cache=cache)


def patched(*given: dict[str, Any], is_router: bool = False) -> list[built.Built]:
    found = patcher(caching.Cache(), *given, is_router=is_router).change(built.part_of(parts()), adds=True)
    return [one for by_name in found.built.values() for one in by_name.values()]


def removed(*given: dict[str, Any], is_router: bool = False) -> set[str]:
    left = {(part.type_url, part.name) for part in patched(*given, is_router=is_router)}
    return {part.name for part in parts() if (part.type_url, part.name) not in left}


def test_inbound_and_outbound_are_told_apart() -> None:
    inbound = changes.change("CLUSTER", "REMOVE", context="SIDECAR_INBOUND")
    outbound = changes.change("CLUSTER", "REMOVE", context="SIDECAR_OUTBOUND")
    assert removed(inbound) == {"inbound|1||"}
    assert removed(outbound) == {"outbound|80||a"}
    assert removed(changes.change("LISTENER", "REMOVE", context="SIDECAR_INBOUND")) == {"virtualInbound"}


def test_everything_of_a_gateway_is_gateway() -> None:
    gateway = changes.change("CLUSTER", "REMOVE", context="GATEWAY")
    assert removed(gateway, is_router=True) == {"outbound|80||a", "inbound|1||"}
    assert removed(gateway) == set()


def test_endpoints_go_with_their_cluster() -> None:
    left = [
        part for part in patched(changes.change("CLUSTER", "REMOVE")) if part.type_url == type_urls.ENDPOINTS
    ]
    assert left == []


def test_additions_without_context_are_made_once() -> None:
    for context, number in ((None, 1), ("ANY", 1), ("SIDECAR_INBOUND", 1), ("GATEWAY", 0)):
        match = {"context": context} if context else {}
        found = patched(changes.change("CLUSTER", "ADD", ADDED, **match))
        assert [part.name for part in found].count("added") == number, context


def test_what_does_not_change_is_the_very_same_and_changes_name_their_source() -> None:
    before = built.part_of(parts())
    cache, cluster = caching.Cache(), {"name": "outbound|80||a"}
    merge = changes.change("CLUSTER", "MERGE", {"alt_stat_name": "x"}, cluster=cluster)
    found = patcher(cache, merge).change(before)
    assert found.changes_since(before) == {
        type_urls.CLUSTER: {"outbound|80||a"},
        type_urls.ENDPOINTS: frozenset(),
        type_urls.LISTENER: frozenset(),
        type_urls.ROUTES: frozenset(),
    }
    changed = found.built[type_urls.CLUSTER]["outbound|80||a"]
    assert [str(ref) for ref in changed.sources] == ["EnvoyFilter default/it"]
    assert patcher(cache, merge).change(before) is found


def test_only_one_of_the_parts_of_a_proxy_gets_what_is_new() -> None:
    add = patcher(caching.Cache(), changes.change("CLUSTER", "ADD", ADDED))
    part = built.part_of(parts())
    assert "added" not in add.change(part).built[type_urls.CLUSTER]
    assert "added" in add.change(part, adds=True).built[type_urls.CLUSTER]
