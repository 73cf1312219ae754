"""VirtualServices with their names resolved, in the order in which they count."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base import overlays
from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import matching, parsing, virtual_services
from bookmesh.mesh.snapshot import configs, hosts, visibility
from bookmesh.mesh.snapshot import delegates as delegates_

MESH: Final = "mesh"
SEMANTICS_ANNOTATION: Final = "internal.istio.io/route-semantics"


@dataclass(frozen=True, slots=True)
class Routing:
    """
    One VirtualService. `hosts` are fully qualified; `gateways` are `NAMESPACE/NAME` or `mesh`, never empty. `name` is
    that of `ref` unless the VirtualService was made from something else; `origins` are the objects of another API that
    it was made from; `path` names it in config dumps; `order` is its place in the merge order. `has_path_elements`: a
    prefix ends where an element of the path ends, as Ingress and the Gateway API mean it. `export_to` is never empty.
    Equal when the content is.
    """

    ref: ObjectRef
    digest: str
    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    spec: virtual_services.VirtualService = field(compare=False)
    domain: str = "cluster.local"
    name: str = field(default="", compare=False)
    has_path_elements: bool = False
    export_to: tuple[str, ...] = (visibility.EVERYBODY,)
    origins: tuple[ObjectRef, ...] = field(default=(), compare=False)
    path: str = field(default="", compare=False)
    order: tuple[str, ...] = field(default=(), compare=False)

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """The objects of people behind it, never empty."""
        return self.origins or (self.ref,)

    def rank_in(self, namespace: str) -> int:
        """
        Which come first in a namespace that sees them, whatever their age: those of the namespace that not everybody
        sees, those of others that are exported to it, its own routes of the Gateway API, all others.
        """
        is_own = self.ref.namespace == namespace
        if visibility.EVERYBODY in self.export_to:
            return 2 if is_own and self.has_path_elements else 3
        return 0 if is_own else 1

    def is_visible_in(self, namespace: str) -> bool:
        return visibility.is_visible(self.export_to, owner=self.ref.namespace, namespace=namespace)

    def destination_host(self, destination: matching.Destination) -> str:
        """The fully qualified name of a destination of this VirtualService."""
        return hosts.qualified(destination.host, self.ref.namespace, self.domain)

    def destination_hosts(self) -> Iterator[str]:
        """The fully qualified names of all destinations, mirrors as well."""
        for http in self.spec.http:
            for target in http.route:
                yield self.destination_host(target.destination)
            for mirror in http.mirrors:
                yield self.destination_host(mirror.destination)
            if http.mirror is not None:
                yield self.destination_host(http.mirror)
        connections = [route.route for route in self.spec.tls] + [route.route for route in self.spec.tcp]
        for targets in connections:
            yield from (self.destination_host(connection.destination) for connection in targets)


@dataclass(frozen=True, slots=True)
class Index:
    """
    VirtualServices by host in lower case, by gateway and by the hosts they lead to, in merge order; `wildcards` are
    (pattern, rule), the longest first.
    """

    exact: Mapping[str, tuple[Routing, ...]] = field(default_factory=dict)
    wildcards: tuple[tuple[str, Routing], ...] = ()
    gateways: Mapping[str, tuple[Routing, ...]] = field(default_factory=dict)
    destinations: Mapping[str, tuple[Routing, ...]] = field(default_factory=dict)

    def find(
        self, host: str, accepts: Callable[[Routing], bool], *, rank: Callable[[Routing], int]
    ) -> Routing | None:
        """Of the accepted ones pick that for a host: the most specific, then the lowest rank, then the first."""
        found = [rule for rule in self.exact.get(host.lower(), ()) if accepts(rule)]
        longest = 0
        for pattern, rule in self.wildcards if not found else ():
            if len(pattern) < longest:
                break
            if hosts.matches(pattern, host) and accepts(rule):
                found.append(rule)
                longest = len(pattern)
        return min(found, key=rank, default=None)

    def find_all(
        self, host: str, accepts: Callable[[Routing], bool], *, rank: Callable[[Routing], int]
    ) -> list[Routing]:
        """The accepted ones for a host, by name or pattern alike: the lowest rank first, then in merge order."""
        named = self.exact.get(host.lower(), ())
        by_pattern = (rule for pattern, rule in self.wildcards if hosts.matches(pattern, host))
        found = (rule for rule in dict.fromkeys((*named, *by_pattern)) if accepts(rule))
        return sorted(found, key=lambda rule: (rank(rule), rule.order))

    def bound_to(self, gateway: str) -> tuple[Routing, ...]:
        """Those of a gateway (`NAMESPACE/NAME` or `mesh`), in merge order."""
        return self.gateways.get(gateway, ())

    def naming(self, host: str) -> tuple[Routing, ...]:
        """Those that name this very host or pattern, in merge order."""
        if host.startswith("*"):
            return tuple(rule for pattern, rule in self.wildcards if pattern == host)
        return tuple(rule for rule in self.exact.get(host.lower(), ()) if host in rule.hosts)

    def leading_to(self, hosts_: Iterable[str]) -> set[Routing]:
        """Those with a destination among hosts."""
        return {rule for host in hosts_ for rule in self.destinations.get(host, ())}

    def names(self, host: str) -> bool:
        """Whether some VirtualService is for a host, be it by a pattern."""
        return host in self.exact or any(hosts.matches(pattern, host) for pattern, _ in self.wildcards)

    def replaced(self, difference: configs.Difference[Routing], routings: Iterable[Routing]) -> Index:
        """The index of `routings`, which differ from those of this one in `difference`."""
        changed = (*difference.gone, *difference.come)
        has_wildcards = any(host.startswith("*") for rule in changed for host in rule.hosts)
        return Index(
            _reindexed(self.exact, difference, _exact_hosts),
            _wildcards_in(routings) if has_wildcards else self.wildcards,
            _reindexed(self.gateways, difference, lambda rule: rule.gateways),
            _reindexed(self.destinations, difference, _destinations),
        )


def build_index(routings: Iterable[Routing]) -> Index:
    """Index VirtualServices, which come in merge order."""
    exact: defaultdict[str, list[Routing]] = defaultdict(list)
    gateways: defaultdict[str, list[Routing]] = defaultdict(list)
    destinations: defaultdict[str, list[Routing]] = defaultdict(list)
    found = tuple(routings)
    for rule in found:
        for host in _destinations(rule):
            destinations[host].append(rule)
        for host in _exact_hosts(rule):
            exact[host].append(rule)
        for gateway in dict.fromkeys(rule.gateways):
            gateways[gateway].append(rule)
    return Index(
        {host: tuple(rules) for host, rules in exact.items()},
        _wildcards_in(found),
        {gateway: tuple(rules) for gateway, rules in gateways.items()},
        {host: tuple(rules) for host, rules in destinations.items()},
    )


def _exact_hosts(rule: Routing) -> Iterable[str]:
    return dict.fromkeys(host.lower() for host in rule.hosts if not host.startswith("*"))


def _destinations(rule: Routing) -> Iterable[str]:
    return dict.fromkeys(rule.destination_hosts())


def _wildcards_in(routings: Iterable[Routing]) -> tuple[tuple[str, Routing], ...]:
    found = [(host, rule) for rule in routings for host in rule.hosts if host.startswith("*")]
    return tuple(sorted(found, key=lambda pair: len(pair[0]), reverse=True))


def _reindexed(
    known: Mapping[str, tuple[Routing, ...]],
    difference: configs.Difference[Routing],
    keys_of: Callable[[Routing], Iterable[str]],
) -> Mapping[str, tuple[Routing, ...]]:
    keys = {key for rule in (*difference.gone, *difference.come) for key in keys_of(rule)}
    changes: dict[str, tuple[Routing, ...] | None] = {}
    for key in keys:
        own = configs.Difference(
            tuple(rule for rule in difference.gone if key in keys_of(rule)),
            tuple(rule for rule in difference.come if key in keys_of(rule)),
        )
        changes[key] = configs.spliced(known.get(key, ()), own, key=order_of) or None
    return overlays.changed(known, changes)


def order_of(rule: Routing) -> tuple[str, ...]:
    return rule.order


def made_from(parsed: parsing.Parsed, routings: Sequence[Routing]) -> Routing:
    """The one of a VirtualService among `routings`, which are in merge order and of which it is one."""
    return routings[bisect.bisect_left(routings, configs.merge_order(parsed), key=order_of)]


def build_routings(
    found: Iterable[parsing.Parsed],
    domain: str,
    handed_on: Mapping[tuple[str, str], parsing.Parsed],
    *,
    default_export_to: tuple[str, ...],
) -> Iterator[Routing]:
    """Resolve the names of VirtualServices, in the same order; `handed_on` are the delegates."""
    for parsed in found:
        if isinstance(parsed.spec, virtual_services.VirtualService) and parsed.spec.hosts:
            rule = build_routing(parsed, parsed.spec, domain, handed_on, default_export_to=default_export_to)
            if rule is not None:
                yield rule


def build_routing(
    parsed: parsing.Parsed,
    spec: virtual_services.VirtualService,
    domain: str,
    delegates: Mapping[tuple[str, str], parsing.Parsed] | None = None,
    *,
    default_export_to: tuple[str, ...] = (visibility.EVERYBODY,),
) -> Routing | None:
    """Resolve the names of one VirtualService, with the routes of its delegates; None when it has no routes left."""
    namespace = parsed.metadata.namespace
    resolved, used = delegates_.resolve(spec, namespace, delegates or {}, domain=domain)
    if resolved is None:
        return None
    return Routing(
        ref=parsed.ref,
        digest="+".join((parsed.digest, *(delegate.digest for delegate in used))),
        hosts=tuple(hosts.qualified(host, namespace, domain) for host in spec.hosts),
        gateways=tuple(qualified_gateway(name, namespace) for name in spec.gateways) or (MESH,),
        spec=resolved,
        domain=domain,
        name=parsed.metadata.name,
        has_path_elements=SEMANTICS_ANNOTATION in parsed.metadata.annotations,
        origins=parsed.origins,
        path=parsed.path,
        order=configs.merge_order(parsed),
        export_to=spec.export_to or default_export_to,
    )


def qualified_gateway(name: str, namespace: str) -> str:
    return name if name == MESH or "/" in name else f"{namespace}/{name}"
