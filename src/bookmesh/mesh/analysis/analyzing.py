"""
Runs all analyzers, and after a change of routes only what may find something else.

Analyzers of `ROUTE_ANALYZERS` look at one VirtualService, and at other kinds; those of `ANALYZERS` at all but
VirtualServices. Conflicts between VirtualServices are about all that name one host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bookmesh.base import steps as steps_
from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.mesh.analysis import (
    conflicting_hosts,
    conflicting_mtls,
    idle_gateways,
    idle_listener_tls,
    idle_peer_authentications,
    missing_credentials,
    missing_delegates,
    missing_gateways,
    missing_hosts,
    missing_subsets,
    odd_ciphers,
    parsing_findings,
    unserved_protocols,
    unusable_patches,
    unused_names,
)
from bookmesh.mesh.model import parsing, virtual_services
from bookmesh.mesh.snapshot import configs as configs_
from bookmesh.mesh.snapshot import snapshot as snapshots

ANALYZERS: Final = (
    parsing_findings.check,
    idle_gateways.check,
    idle_listener_tls.check,
    idle_peer_authentications.check,
    conflicting_mtls.check,
    missing_credentials.check,
    odd_ciphers.check,
    unserved_protocols.check,
    unusable_patches.check,
    unused_names.check,
)
ROUTE_ANALYZERS: Final = (
    missing_hosts.check,
    missing_subsets.check,
    missing_gateways.check,
    missing_delegates.check,
)
_SLICE: Final = 20  # VirtualServices between two steps
_Placed = tuple[tuple[str, ...], Finding]  # where the object is in the merge order, and what is wrong with it


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is wrong in a snapshot: each thing once, by object in merge order; first what is about no such object."""

    snapshot: snapshots.MeshSnapshot
    placed: tuple[_Placed, ...] = ()

    @property
    def findings(self) -> list[Finding]:
        return [finding for _, finding in self.placed]


def analyze(snapshot: snapshots.MeshSnapshot) -> list[Finding]:
    """Say all that is wrong, by object in merge order; empty when all is well. This is `steps` in one go."""
    return steps_.result_of(steps(snapshot)).findings


def steps(snapshot: snapshots.MeshSnapshot, before: Analysis | None = None) -> steps_.Steps[Analysis]:
    """
    Say all that is wrong, in steps that each take some milliseconds at most; it is what the generator returns.

    With what was found in an earlier snapshot, only what may be otherwise now is looked at. The result is the same.
    """
    updated = _update(before, snapshot) if before is not None else None
    if updated is not None:
        return updated
    found: dict[Finding, None] = {}
    for check in ANALYZERS:
        found |= dict.fromkeys(check(snapshot))
        yield
    for position, parsed in enumerate(snapshot.configs.of(virtual_services.VirtualService)):
        found |= dict.fromkeys(_check_route(parsed, snapshot))
        if position % _SLICE == 0:
            yield
    found |= dict.fromkeys(conflicting_hosts.check(snapshot, snapshot.routings))
    yield
    return Analysis(snapshot, _in_order(_told(found, snapshot), snapshot.configs))


def _update(before: Analysis, snapshot: snapshots.MeshSnapshot) -> Analysis | None:
    """Look at what changed routes have to do with; None when there is more that changed."""
    changes = snapshot.changes_since(before.snapshot)
    if changes is None or snapshot.registry.workloads is not before.snapshot.registry.workloads:
        return None
    if not changes.routings:
        return Analysis(snapshot, before.placed)
    hosts = {host for rule in changes.routings for host in rule.hosts}
    old = {rule for host in hosts for rule in before.snapshot.index.naming(host)}
    new = {rule for host in hosts for rule in snapshot.index.naming(host)}
    routes = [snapshot.configs.made(virtual_services.VirtualService, rule.order) for rule in new]
    if any(parsed.is_derived for parsed in routes) or any(rule.origins for rule in old):
        return None
    about = {rule.ref for rule in old | new}
    kept = [placed for placed in before.placed if placed[1].subject not in about]
    fresh: dict[Finding, None] = {}
    for parsed in routes:
        fresh |= dict.fromkeys((*parsed.findings, *_check_route(parsed, snapshot)))
    fresh |= dict.fromkeys(conflicting_hosts.check(snapshot, new))
    return Analysis(snapshot, tuple(sorted((*kept, *_in_order(fresh, routes)), key=_place)))


def _check_route(parsed: parsing.Parsed, snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for check in ROUTE_ANALYZERS:
        yield from check(parsed, snapshot)


def _told(findings: Iterable[Finding], snapshot: snapshots.MeshSnapshot) -> list[Finding]:
    """
    Of what the mesh made itself, from an Ingress say, only the findings it was made with are told: they name fields
    that a person can mend.
    """
    derived = {ref for parsed in snapshot.configs if parsed.is_derived for ref in parsed.refs}
    told = {finding for parsed in snapshot.configs for finding in parsed.findings} | set(snapshot.findings)
    return [each for each in findings if each.subject not in derived or each in told]


def _in_order(findings: Iterable[Finding], configs: Iterable[parsing.Parsed]) -> tuple[_Placed, ...]:
    places: dict[ObjectRef | None, tuple[str, ...]] = {
        parsed.ref: configs_.merge_order(parsed) for parsed in configs
    }
    return tuple(sorted(((places.get(each.subject, ()), each) for each in findings), key=_place))


def _place(placed: _Placed) -> tuple[str, ...]:
    return placed[0]
