"""
Runs all analyzers, and after a change of services, routes or rules only what may find something else.

Analyzers of `ROUTE_ANALYZERS` look at one VirtualService, those of `RULE_ANALYZERS` at one DestinationRule, and both at
other kinds; those of `ANALYZERS` at all but these two, and those of them that are `OTHER_ANALYZERS` say something about
objects of `changes.OTHERS` alone. Conflicts between VirtualServices are about all that name one
host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from bookmesh.mesh.model import base, destination_rules, internal, parsing, virtual_services, workload_entries
from bookmesh.mesh.snapshot import changes as changes_
from bookmesh.mesh.snapshot import configs as configs_
from bookmesh.mesh.snapshot import delegates, routing
from bookmesh.mesh.snapshot import snapshot as snapshots

OTHER_ANALYZERS: Final = (
    idle_gateways.check,
    idle_listener_tls.check,
    idle_peer_authentications.check,
    missing_credentials.check,
    odd_ciphers.check,
    unserved_protocols.check,
    unusable_patches.check,
)
ANALYZERS: Final = (parsing_findings.check, *OTHER_ANALYZERS, unused_names.check)
ROUTE_ANALYZERS: Final = (
    missing_hosts.check,
    missing_subsets.check,
    missing_gateways.check,
    missing_delegates.check,
)
RULE_ANALYZERS: Final = (conflicting_mtls.check, missing_credentials.check_rule)
_SLICE: Final = 20  # VirtualServices or DestinationRules between two steps
_Check = Callable[[parsing.Parsed, snapshots.MeshSnapshot], Iterable[Finding]]
_BY_OBJECT: Final[Mapping[type[base.Model], Iterable[_Check]]] = {
    destination_rules.DestinationRule: RULE_ANALYZERS,
    virtual_services.VirtualService: ROUTE_ANALYZERS,
}
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
    for kind, checks in _BY_OBJECT.items():
        for position, parsed in enumerate(snapshot.configs.of(kind)):
            found |= dict.fromkeys(_check(parsed, snapshot, checks))
            if position % _SLICE == 0:
                yield
    found |= dict.fromkeys(conflicting_hosts.check(snapshot, snapshot.routings))
    yield
    return Analysis(snapshot, _in_order(_told(found, snapshot), snapshot.configs))


def _update(before: Analysis, snapshot: snapshots.MeshSnapshot) -> Analysis | None:
    """Look at the objects that have to do with what changed; None when there is more to look at."""
    changes = snapshot.changes_since(before.snapshot)
    if changes is None or _gateways_of(before.snapshot) != _gateways_of(snapshot):
        return None
    has_other_pods = snapshot.registry.workloads is not before.snapshot.registry.workloads
    if has_other_pods and snapshots.rule_credentials(snapshot.configs):  # they must be where gateways run
        return None
    looks_at_others = has_other_pods or bool(changes.others)
    if not (changes.routings or changes.rules or changes.services or looks_at_others):
        entries = snapshot.configs.since(before.snapshot.configs)
        return Analysis(snapshot, before.placed) if entries == configs_.Difference() else None
    if _depends_on_all(before.snapshot) or _depends_on_all(snapshot):
        return None
    return _updated(before, snapshot, changes, looks_at_others=looks_at_others)


def _gateways_of(snapshot: snapshots.MeshSnapshot) -> Mapping[str, Mapping[str, str]]:
    """Which Gateways there are and whom they select, on which findings about any route or rule may depend."""
    gateways = snapshots.gateways_in(snapshot.configs)
    return {name: gateway.selector for name, (_, gateway) in gateways.items()}


def _depends_on_all(snapshot: snapshots.MeshSnapshot) -> bool:
    """Whether there are objects whose findings come from others than those they name."""
    configs = snapshot.configs
    is_bound = any(
        isinstance(gateway, internal.ServiceGateway) for _, gateway in snapshots.gateways_in(configs).values()
    )
    return is_bound or delegates.is_delegating(configs) or bool(configs.of(workload_entries.WorkloadEntry))


def _updated(
    before: Analysis, snapshot: snapshots.MeshSnapshot, changes: changes_.Changes, *, looks_at_others: bool
) -> Analysis | None:
    old, new = _concerned(before.snapshot, changes), _concerned(snapshot, changes)
    if changes.services:  # a route to a host that is none is told which there are
        lost = {finding.subject for _, finding in before.placed if finding.code == missing_hosts.CODE}
        new.routings |= {rule for rule in snapshot.routings if rule.ref in lost} if lost else set()
    difference = snapshot.configs.since(before.snapshot.configs)
    other_kinds = changes_.OTHERS if looks_at_others else ()
    others = (parsed for kind in other_kinds for parsed in snapshot.configs.of(kind))
    objects = {*new.objects(snapshot), *difference.come, *others}
    is_made = any(parsed.is_derived for parsed in (*objects, *difference.gone))
    if is_made or any(rule.origins for rule in old.routings):
        return None
    about = {parsed.ref for parsed in (*objects, *difference.gone)} | {rule.ref for rule in old.routings}
    kept = [placed for placed in before.placed if placed[1].subject not in about]
    fresh: dict[Finding, None] = {}
    for parsed in objects:
        checks = _BY_OBJECT.get(configs_.kind_of(parsed), ())
        fresh |= dict.fromkeys((*parsed.findings, *_check(parsed, snapshot, checks)))
    for check in OTHER_ANALYZERS if looks_at_others else ():
        fresh |= dict.fromkeys(check(snapshot))
    fresh |= dict.fromkeys(conflicting_hosts.check(snapshot, new.routings))
    return Analysis(snapshot, tuple(sorted((*kept, *_in_order(fresh, objects)), key=_place)))


@dataclass(slots=True)
class _Concerned:
    """The VirtualServices and DestinationRules of a snapshot that have to do with changes."""

    routings: set[routing.Routing]
    rules: set[parsing.Parsed]

    def objects(self, snapshot: snapshots.MeshSnapshot) -> Iterator[parsing.Parsed]:
        configs = snapshot.configs
        yield from (configs.made(virtual_services.VirtualService, rule.order) for rule in self.routings)
        yield from self.rules


def _concerned(snapshot: snapshots.MeshSnapshot, changes: changes_.Changes) -> _Concerned:
    index = snapshot.index
    named = {rule for changed in changes.routings for host in changed.hosts for rule in index.naming(host)}
    return _Concerned(
        named | index.leading_to(changes.services | changes.ruled),
        {
            rule
            for host in changes.services | changes.hosts | changes.accepting
            for rule in snapshot.policies.rules_for(host)
        },
    )


def _check(
    parsed: parsing.Parsed, snapshot: snapshots.MeshSnapshot, checks: Iterable[_Check]
) -> Iterator[Finding]:
    for check in checks:
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
