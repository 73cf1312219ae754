"""Which Sidecar is in force for a workload, and what it lets its proxy see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import connection_pools, matching, parsing, sidecars
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import hosts, routing, settings


@dataclass(frozen=True, slots=True)
class Listener:
    """
    What may be called on one port, or with 0 on every port that no other listener has. `entries` are (namespace, host
    pattern); namespaces are names, `*` or `~`.
    """

    port: int
    entries: tuple[tuple[str, str], ...]

    def shows(self, namespace: str, names: Iterable[str]) -> bool:
        found = [pattern for where, pattern in self.entries if where in ("*", namespace)]
        return any(hosts.matches(pattern, name) for pattern in found for name in names)


@dataclass(frozen=True, slots=True)
class View:
    """
    What one Sidecar lets a proxy see; without `listeners` everything. `egress_proxy` takes what goes to services nobody
    knows; its host is fully qualified. `inbound_pool` limits connections to the application; `inbound` are the ports on
    which it is called, in place of those that Services name.
    """

    ref: ObjectRef
    digest: str
    listeners: tuple[Listener, ...]
    outbound: settings.OutboundTrafficPolicy | None
    egress_proxy: matching.Destination | None = None
    inbound_pool: connection_pools.ConnectionPool | None = None
    inbound: tuple[sidecars.IngressListener, ...] = ()

    def shows_service(self, service: services.Service) -> bool:
        return self.shown(service) is not None

    def shown(self, service: services.Service) -> services.Service | None:
        """The service with the ports that are shown; None when it is not."""
        if not self.listeners:
            return service
        found = [each for each in self.listeners if each.shows(service.namespace, (service.hostname,))]
        claimed = {each.port for each in self.listeners}
        here = {each.port for each in found}
        ports = tuple(
            port
            for port in service.ports
            if port.number in here or (0 in here and port.number not in claimed)
        )
        if not ports and (service.ports or not found):
            return None
        return service if ports == service.ports else replace(service, ports=ports)

    def shows_rule(self, rule: routing.Routing) -> bool:
        return not self.listeners or any(
            each.shows(rule.ref.namespace, rule.hosts) for each in self.listeners
        )


def view_for(
    namespace: str,
    labels: Mapping[str, str],
    configs: Iterable[parsing.Parsed],
    *,
    root_namespace: str,
    domain: str = "cluster.local",
) -> View | None:
    """
    Find the Sidecar in force; None when there is none.

    One that selects the workload wins over that of the whole namespace, and this over that of the root namespace; of
    equal ones the oldest counts.
    """
    ranked: dict[int, parsing.Parsed] = {}
    for parsed in configs:
        if not isinstance(parsed.spec, sidecars.Sidecar):
            continue
        selector = parsed.spec.workload_selector
        if selector is not None and selector.labels:
            if parsed.metadata.namespace == namespace and selector.labels.items() <= labels.items():
                ranked.setdefault(0, parsed)
        elif parsed.metadata.namespace == namespace:
            ranked.setdefault(1, parsed)
        elif parsed.metadata.namespace == root_namespace:
            ranked.setdefault(2, parsed)
    return _build_view(ranked[min(ranked)], namespace, domain) if ranked else None


def _build_view(parsed: parsing.Parsed, namespace: str, domain: str) -> View | None:
    spec = parsed.spec
    if not isinstance(spec, sidecars.Sidecar):
        return None
    policy = spec.outbound_traffic_policy
    proxy = policy.egress_proxy if policy is not None else None
    if proxy is not None:
        host = hosts.qualified(proxy.host, parsed.metadata.namespace, domain)
        proxy = msgspec.structs.replace(proxy, host=host)
    return View(
        ref=parsed.ref,
        digest=parsed.digest,
        listeners=tuple(_build_listener(listener, namespace) for listener in spec.egress),
        outbound=policy.mode if policy is not None else None,
        egress_proxy=proxy,
        inbound_pool=spec.inbound_connection_pool,
        inbound=spec.ingress,
    )


def _build_listener(listener: sidecars.EgressListener, namespace: str) -> Listener:
    pairs = (entry.partition("/") for entry in listener.hosts)
    return Listener(
        port=listener.port.number if listener.port is not None else 0,
        entries=tuple((namespace if where == "." else where, pattern) for where, _, pattern in pairs),
    )
