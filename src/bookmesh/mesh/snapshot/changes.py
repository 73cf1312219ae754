"""What differs between two snapshots, where that is little: what else was made from the first holds for the second."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bookmesh.base import overlays
from bookmesh.mesh.model import (
    base,
    destination_rules,
    envoy_filters,
    gateways,
    parsing,
    peer_authentications,
    sidecars,
    virtual_services,
)
from bookmesh.mesh.registry import registry as registries
from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot import configs, delegates, hosts, routing
from bookmesh.mesh.snapshot import peer_authentications as peers

if TYPE_CHECKING:
    from bookmesh.mesh.snapshot.snapshot import MeshSnapshot

# Of these it is enough to know that some differ: few things depend on them, or they say whom they are about.
OTHERS: Final[tuple[type[base.Model], ...]] = (
    gateways.Gateway,
    sidecars.Sidecar,
    peer_authentications.PeerAuthentication,
    envoy_filters.EnvoyFilter,
)
# Kinds of which a difference is told in detail; those of the registry say what there is in it.
_DETAILED: Final = (
    virtual_services.VirtualService,
    destination_rules.DestinationRule,
    *registries.REGISTERED,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """
    All that differs: `hosts` with other endpoints, other pods behind them, or pods that take mTLS and did not, or the
    other way round; `services`, the hosts of those that came, went or are otherwise; `routings`, the VirtualServices as
    they were and as they are; `rules`, the DestinationRules likewise, and `ruled`, the hosts of services that these may
    be for. `others` are kinds, out of `OTHERS`, of which some object differs, and `accepting` the hosts of services
    whose pods a PeerAuthentication among them may be for.
    """

    hosts: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    routings: tuple[routing.Routing, ...] = ()
    rules: tuple[parsing.Parsed, ...] = ()
    ruled: frozenset[str] = frozenset()
    others: frozenset[type[base.Model]] = frozenset()
    accepting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Since:
    """What differs from a previous snapshot, which it does not keep alive; None when anything may."""

    previous: weakref.ref[MeshSnapshot]
    changes: Changes | None


def between(before: MeshSnapshot, after: MeshSnapshot) -> Changes | None:
    """
    Compare two snapshots with the same settings, Secrets and findings of their own; None when something differs of
    which nobody knows what depends on it.
    """
    registry, other = after.registry, before.registry
    if registry.namespaces is not other.namespaces:
        return None
    by_kind = after.configs.since(before.configs).grouped(configs.kind_of)
    others = frozenset(kind for kind in by_kind if kind in OTHERS)
    if not all(issubclass(kind, _DETAILED) for kind in by_kind.keys() - others):
        return None
    none: configs.Difference[parsing.Parsed] = configs.Difference()
    routes = by_kind.get(virtual_services.VirtualService, none)
    is_delegating = delegates.is_delegating(before.configs) or delegates.is_delegating(after.configs)
    if is_delegating and routes != none:
        return None
    rules = by_kind.get(destination_rules.DestinationRule, none)
    policies = by_kind.get(peer_authentications.PeerAuthentication, none)
    selections = [_selection(parsed, after) for parsed in (*policies.gone, *policies.come)]
    endpoints = {host for host, _, _ in overlays.differing(other.endpoints, registry.endpoints)}
    accepting = _otherwise_called(selections, before, after) if selections else set[str]()
    return Changes(
        hosts=frozenset(endpoints | overlays.differing(other.behind, registry.behind) | accepting),
        services=frozenset(
            overlays.differing(other.services, registry.services)
            | overlays.differing(other.rivals, registry.rivals)
        ),
        routings=(
            *(routing.made_from(parsed, before.routings) for parsed in routes.gone),
            *(routing.made_from(parsed, after.routings) for parsed in routes.come),
        ),
        rules=(*rules.gone, *rules.come),
        ruled=_hosts_under({after.policies.host_of(rule) for rule in (*rules.gone, *rules.come)}, registry),
        others=others,
        accepting=frozenset(_hosts_of(selections, registry) if selections else ()),
    )


@dataclass(frozen=True, slots=True)
class _Selection:
    """The pods that a PeerAuthentication may be for; without a namespace those of all."""

    namespace: str
    policy: peer_authentications.PeerAuthentication

    def has(self, pod: workloads.Workload) -> bool:
        is_near = self.namespace in ("", pod.namespace)
        return is_near and (not self.policy.is_for_workloads or peers.selects(self.policy, pod.labels))


def _selection(parsed: parsing.Parsed, snapshot: MeshSnapshot) -> _Selection:
    if not isinstance(parsed.spec, peer_authentications.PeerAuthentication):
        raise TypeError(f"{parsed.ref} is not a PeerAuthentication")
    namespace = parsed.metadata.namespace
    return _Selection("" if namespace == snapshot.settings.root_namespace else namespace, parsed.spec)


def _otherwise_called(
    selections: Iterable[_Selection], before: MeshSnapshot, after: MeshSnapshot
) -> set[str]:
    """The hosts with endpoints to which clients that may choose connect otherwise than before."""
    return {
        host
        for (host, _, _), endpoints in after.registry.endpoints.items()
        for one in endpoints
        if one.workload is not None
        and any(selection.has(one.workload) for selection in selections)
        and before.accepts_mtls(one) != after.accepts_mtls(one)
    }


def _hosts_of(selections: Iterable[_Selection], registry: registries.Registry) -> Iterator[str]:
    """The hosts of services that select some of the pods."""
    for host, pods in registry.behind.items():
        if any(selection.has(pod) for selection in selections for pod in pods):
            yield host


def _hosts_under(patterns: Iterable[str], registry: registries.Registry) -> frozenset[str]:
    """The hosts of services that patterns or names are for."""
    found: set[str] = set()
    for pattern in patterns:
        if pattern.startswith("*"):
            found.update(host for host in registry.services if hosts.matches(pattern, host))
        elif pattern in registry.services:
            found.add(pattern)
    return frozenset(found)
