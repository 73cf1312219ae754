"""
The front door: every resource of one proxy.

    cache = caching.Cache()                       # owned by the control plane, one for all proxies
    wanted = resources.resources(proxy, snapshot, cache)
    for name, built in wanted.of(type_urls.CLUSTER).items():
        encode(type_urls.CLUSTER, name, built.serialized)

Equal input gives the very same `Built` object, for every proxy and across snapshots as long as somebody has it, so
`built is previous` tells "unchanged" and its bytes are made once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from bookmesh.base import steps as steps_
from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import gateways as gateway_models
from bookmesh.mesh.model import peer_authentications
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import built, caching, gateways, inbound, outbound
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.translate.built import Built, Part
from bookmesh.mesh.translate.patching import patching
from bookmesh.mesh.wire import type_urls

__all__ = ["Built", "Part", "ResourceKey", "ResourceSet", "resources"]


class ResourceKey(NamedTuple):
    """Names one resource of one proxy."""

    type_url: str
    name: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a set was made from, before EnvoyFilters changed it."""

    shared: outbound.Outbound
    own: Part


@dataclass(frozen=True, slots=True)
class ResourceSet:
    """
    All that one proxy gets from one snapshot: what the proxies of its scope share, and what is its own. No name is in
    both. `basis` is what a next set may be made from.
    """

    shared: Part
    own: Part
    basis: Basis | None = field(default=None, compare=False, repr=False)

    def of(self, type_url: str) -> Mapping[str, Built]:
        return {**self.shared.built[type_url], **self.own.built[type_url]}

    def get(self, type_url: str, name: str) -> Built | None:
        return self.own.built[type_url].get(name) or self.shared.built[type_url].get(name)

    def messages(self, type_url: str) -> dict[str, Any]:
        """Protobuf messages by resource name."""
        return {name: built.message for name, built in self.of(type_url).items()}

    def sources(self) -> dict[ResourceKey, tuple[ObjectRef, ...]]:
        """The YAML objects behind each resource: what to name when an Envoy refuses it."""
        return {
            ResourceKey(type_url, name): built.sources
            for type_url in type_urls.TRANSLATED
            for name, built in self.of(type_url).items()
        }


def resources(
    proxy: proxies.Proxy,
    snapshot: snapshots.MeshSnapshot,
    cache: caching.Cache | None = None,
    *,
    previous: ResourceSet | None = None,
) -> ResourceSet:
    """
    Build everything one proxy gets.

    This is `steps` in one go.
    """
    return steps_.result_of(
        steps(proxy, snapshot, cache if cache is not None else caching.Cache(), previous=previous)
    )


def steps(
    proxy: proxies.Proxy,
    snapshot: snapshots.MeshSnapshot,
    cache: caching.Cache,
    *,
    previous: ResourceSet | None = None,
) -> steps_.Steps[ResourceSet]:
    """
    Build everything one proxy gets, in steps that each take a millisecond or so; it is what the generator returns.

    With a `cache` (one for all proxies of a control plane) equal parts are built once, whoever asks. `previous`
    is what this very proxy got before: when little has changed since, its own part is still right.
    """
    is_router = proxy.type == "router"
    labels = scopes.relevant_labels(snapshot, proxy.labels)
    view = None if is_router else snapshot.view_for(proxy)
    caller = scopes.caller_for(snapshot, proxy)
    place = (caller.locality, tuple(caller.labels.items()))
    key = ("outbound", proxy.namespace, is_router, tuple(labels.items()), view, place)

    shared = cast("outbound.Outbound | None", cache.find(key))
    if shared is None or shared.scope.snapshot is not snapshot:
        shared = yield from outbound.build(
            snapshot,
            namespace=proxy.namespace,
            is_router=is_router,
            labels=labels,
            view=view,
            caller=caller,
            cache=cache,
            previous=shared,
        )
        cache.put(key, shared)
    basis = previous.basis if previous is not None else None
    if basis is not None and _is_own_part_right(basis, proxy, shared.scope):
        own = basis.own
    elif is_router:
        own = gateways.build(proxy, shared.scope, cache)
    else:
        own = inbound.build(proxy, snapshot, cache)
    rest = _without_names_of(own, shared.part)
    patches = snapshot.patches_for(proxy)
    if not patches:
        return ResourceSet(rest, own, Basis(shared, own))
    ports = snapshot.gateway_ports(proxy) if is_router else ()
    patcher = patching.Patcher(patches, is_router=is_router, ports=ports, cache=cache)
    return ResourceSet(patcher.change(rest), patcher.change(own, adds=True), Basis(shared, own))


def _without_names_of(own: Part, shared: Part) -> Part:
    """
    The shared part without what a proxy has of its own by the same name: a pod of a headless service is called at its
    address by others, while its proxy may listen there itself.
    """
    names = ((type_url, name) for type_url, found in own.built.items() for name in found)
    taken = [shared.built[type_url][name] for type_url, name in names if name in shared.built[type_url]]
    return built.replace_in(shared, taken, ()) if taken else shared


def _is_own_part_right(basis: Basis, proxy: proxies.Proxy, scope: scopes.Scope) -> bool:
    """
    Whether nothing has changed that a proxy's own part depends on. For all that is services; for a sidecar the Sidecar
    and the PeerAuthentications in force, and DestinationRules for services in front of it; for a gateway Gateways, all
    DestinationRules, VirtualServices bound to gateways, and endpoints if it has any in its own part.
    """
    before, snapshot = basis.shared.scope, scope.snapshot
    changes = snapshot.changes_since(before.snapshot)
    if changes is None or changes.services or scope.view != before.view:
        return False
    if scope.is_router:
        is_rerouted = any(set(rule.gateways) != {routing.MESH} for rule in changes.routings)
        is_other = gateway_models.Gateway in changes.others or bool(changes.rules) or is_rerouted
        return not (is_other or (changes.hosts and basis.own.built[type_urls.ENDPOINTS]))
    if peer_authentications.PeerAuthentication in changes.others:
        was, modes = (
            each.peers.modes_for(proxy.namespace, proxy.labels) for each in (before.snapshot, snapshot)
        )
        if was != modes:
            return False
    in_front = snapshot.registry.services_selecting(proxy.workload) if changes.ruled else ()
    return not any(service.hostname in changes.ruled for service in in_front)
