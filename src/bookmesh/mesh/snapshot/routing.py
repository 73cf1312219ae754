"""VirtualServices with their names resolved, in the order in which they count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import matching, parsing, virtual_services
from bookmesh.mesh.snapshot import delegates as delegates_
from bookmesh.mesh.snapshot import hosts, visibility

MESH: Final = "mesh"
SEMANTICS_ANNOTATION: Final = "internal.istio.io/route-semantics"


@dataclass(frozen=True, slots=True)
class Routing:
    """
    One VirtualService. `hosts` are fully qualified; `gateways` are `NAMESPACE/NAME` or `mesh`, never empty. `name` is
    that of `ref` unless the VirtualService was made from something else; `origins` are the objects of another API that
    it was made from; `path` names it in config dumps. `has_path_elements`: a prefix ends where an element of
    the path ends, as Ingress and the Gateway API mean it. `export_to` is never empty. Equal when the content is.
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
    """VirtualServices by host in lower case, in merge order; `wildcards` are (pattern, rule), the longest first."""

    exact: Mapping[str, tuple[Routing, ...]] = field(default_factory=dict)
    wildcards: tuple[tuple[str, Routing], ...] = ()

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


def build_index(routings: Iterable[Routing]) -> Index:
    """Index VirtualServices, which come in merge order."""
    exact: defaultdict[str, list[Routing]] = defaultdict(list)
    wildcards: list[tuple[str, Routing]] = []
    for rule in routings:
        for host in rule.hosts:
            if host.startswith("*"):
                wildcards.append((host, rule))
            else:
                exact[host.lower()].append(rule)
    wildcards.sort(key=lambda found: len(found[0]), reverse=True)
    return Index({host: tuple(rules) for host, rules in exact.items()}, tuple(wildcards))


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
        export_to=spec.export_to or default_export_to,
    )


def qualified_gateway(name: str, namespace: str) -> str:
    return name if name == MESH or "/" in name else f"{namespace}/{name}"
