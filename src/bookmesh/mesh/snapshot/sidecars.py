"""Which Sidecar is in force for a workload, and what it lets its proxy see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import connection_pools, matching, parsing, sidecars
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import hosts, routing, settings

LOOPBACK: Final = "127.0.0.1"
ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - redirected connections arrive on every address


@dataclass(frozen=True, slots=True)
class Bind:
    """
    Where a listener is: an IP address or `unix://PATH`, if one is `wanted`. The proxy listens there itself if it
    `is_bound`; else it takes what was redirected on its way there.
    """

    wanted: str
    is_bound: bool

    @property
    def address(self) -> str:
        return self.wanted or (LOOPBACK if self.is_bound else ANY_ADDRESS)


@dataclass(frozen=True, slots=True)
class Listener:
    """
    What may be called on one port, or with 0 on every port that no other listener has. `entries` are (namespace, host
    pattern); namespaces are names, `*` or `~`.

    Without `bind` services are called at their own addresses. `is_for_all_ports`: services are called here whatever
    their ports are, on a Unix socket or through an HTTP proxy (`is_proxy`). `protocol` "" is that of each service.
    """

    port: int
    entries: tuple[tuple[str, str], ...]
    bind: Bind | None = None
    protocol: str = ""
    is_proxy: bool = False

    @property
    def is_for_all_ports(self) -> bool:
        return self.is_proxy or (self.bind is not None and self.bind.address.startswith(sidecars.UNIX))

    def shows_service(self, service: services.Service) -> bool:
        return self.shows(service.namespace, (service.hostname,))

    def shows(self, namespace: str, names: Iterable[str]) -> bool:
        found = [pattern for where, pattern in self.entries if where in ("*", namespace)]
        return any(hosts.matches(pattern, name) for pattern in found for name in names)


@dataclass(frozen=True, slots=True)
class View:
    """
    What one Sidecar (`ref`) lets a proxy see; without `listeners` all. `egress_proxy` takes what goes to services
    nobody knows; its host is fully qualified. `inbound_pool` limits connections to the application; `inbound` are the
    ports on which it is called, in place of those that Services name. Of a pod that is not `is_intercepted` nothing is
    redirected: its proxy listens wherever it is to be called; then there may be no Sidecar.
    """

    ref: ObjectRef | None
    digest: str
    listeners: tuple[Listener, ...]
    outbound: settings.OutboundTrafficPolicy | None = None
    egress_proxy: matching.Destination | None = None
    inbound_pool: connection_pools.ConnectionPool | None = None
    inbound: tuple[sidecars.IngressListener, ...] = ()
    is_intercepted: bool = True

    def shows_service(self, service: services.Service) -> bool:
        return self.shown(service) is not None

    def shown(self, service: services.Service) -> services.Service | None:
        """The service with the ports that are shown; None when it is not."""
        if not self.listeners:
            return service
        found = [each for each in self.listeners if each.shows_service(service)]
        if any(each.is_for_all_ports for each in found):
            return service
        ports = tuple(port for port in service.ports if self.listener_of(port.number) in found)
        if not ports and (service.ports or not found):
            return None
        return service if ports == service.ports else replace(service, ports=ports)

    def listener_of(self, port: int) -> Listener | None:
        """The listener to which a port belongs; None if there is none for it."""
        by_port = {each.port: each for each in self.listeners if each.port or not each.is_for_all_ports}
        return by_port.get(port) or by_port.get(0)

    def is_called_at(self, service: services.Service, port: int) -> bool:
        """
        Whether a service is called at this port of its own; not when all that shows it is a listener for all ports, or
        a route that leads to it.
        """
        if not self.listeners:
            return True
        listener = self.listener_of(port)
        return listener is not None and not listener.is_for_all_ports and listener.shows_service(service)

    def bind_of(self, port: int) -> Bind | None:
        """Where services are called on a port, if it is not at their own addresses."""
        listener = self.listener_of(port)
        return listener.bind if listener is not None else None

    def is_bound(self, listener: sidecars.IngressListener) -> bool:
        """Whether the proxy listens itself where the application is called."""
        return (
            not self.is_intercepted
            if listener.capture_mode in (None, "DEFAULT")
            else listener.capture_mode == "NONE"
        )

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
    is_intercepted: bool = True,
) -> View | None:
    """
    Find the Sidecar in force; None when there is none and a pod's connections are redirected, as they are in general.

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
    view = _build_view(ranked[min(ranked)], namespace, domain) if ranked else None
    return view if is_intercepted else _without_interception(view)


def _without_interception(view: View | None) -> View:
    """What a proxy sees to which nothing is redirected: all listeners are on ports of its own."""
    view = view or View(ref=None, digest="", listeners=())
    listeners = view.listeners or (Listener(port=0, entries=(("*", "*"),)),)
    bound = tuple(
        replace(each, bind=replace(each.bind or Bind("", True), is_bound=True)) for each in listeners
    )
    return replace(view, listeners=bound, is_intercepted=False)


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
    protocol = listener.port.protocol if listener.port is not None else ""
    return Listener(
        port=listener.port.number if listener.port is not None else 0,
        entries=tuple((namespace if where == "." else where, pattern) for where, _, pattern in pairs),
        bind=_build_bind(listener),
        protocol="HTTP" if listener.is_proxy else protocol,
        is_proxy=listener.is_proxy,
    )


def _build_bind(listener: sidecars.EgressListener) -> Bind | None:
    """
    Where a listener of egress is.

    Source: Sidecar `egress[].bind` and `captureMode`. An HTTP proxy is called at whatever address has its port.
    """
    is_bound = listener.capture_mode == "NONE" or listener.bind.startswith(sidecars.UNIX)
    if is_bound or listener.bind or listener.is_proxy:
        return Bind(listener.bind, is_bound)
    return None
