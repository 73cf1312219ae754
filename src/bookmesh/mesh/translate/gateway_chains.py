"""
Filter chains of one port of a gateway: plain connections in one, TLS apart by the name in its greeting.

Of two servers that want the same name, or both all plain connections, the first in merge order has it, as Envoy takes
no two chains with the same condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bookmesh.mesh.snapshot import gateways as gateways_
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import auto_passthrough, connections, filters, naming, routes, server_tls
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import listener as wire


@dataclass(frozen=True, slots=True)
class RouteTable:
    """HTTP routes that a chain refers to: their name, and the servers whose hosts are in it."""

    name: str
    number: int
    servers: tuple[gateways_.GatewayServer, ...]


@dataclass(slots=True)
class PortChains:
    """What was built for one port: chains, and the route tables they need."""

    chains: list[wire.FilterChain] = field(default_factory=list)
    tables: list[RouteTable] = field(default_factory=list)
    needs_server_name: bool = False
    _taken: set[tuple[str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=set)

    def claim(
        self, names: Sequence[str], route: connections.ConnectionRoute | None = None
    ) -> tuple[str, ...] | None:
        """Take the server names nobody has yet; None when there is none left. () stands for all connections."""
        ranges = (route.destinations, route.sources) if route is not None else ((), ())
        free = tuple(name for name in names or ("",) if (name, *ranges) not in self._taken)
        self._taken.update((name, *ranges) for name in free)
        return tuple(name for name in free if name) if free else None


def build(port: gateways_.GatewayPort, scope: scopes.Scope) -> PortChains:
    """Build the chains of one port; without chains nobody needs to listen there."""
    built = PortChains()
    plain = tuple(server for server in port.servers if server.is_http)
    if plain:
        table = RouteTable(naming.gateway_routes(port.target, port.bind), port.number, plain)
        built.tables.append(table)
        built.chains.append(wire.FilterChain(filters=[_http_filter(table.name, port.target, scope)]))
    for server in port.servers:
        if server.is_https:
            _add_https(built, server, port, scope)
        elif server.is_terminated:
            _add_connections(built, server, scope, is_terminated=True)
        elif server.is_passthrough:
            _add_passthrough(built, server, scope)
        elif server.is_auto_passthrough:
            _add_auto_passthrough(built, server, scope)
        elif server.is_plain_tcp and not plain:
            _add_connections(built, server, scope, is_terminated=False)
    return built


def _add_https(
    built: PortChains, server: gateways_.GatewayServer, port: gateways_.GatewayPort, scope: scopes.Scope
) -> None:
    """HTTP inside TLS: a route table for every server. Without usable certificates the server is left out."""
    names = _usable_names(built, server, scope)
    if names is None:
        return
    number = server.server.port.number
    namespace, _, gateway = server.gateway.partition("/")
    name = naming.https_routes(number, server.server.port.name, gateway, namespace)
    if name not in {table.name for table in built.tables}:
        built.tables.append(RouteTable(name, number, (server,)))
    chain = wire.FilterChain(
        filter_chain_match=_server_name_match(names),
        filters=[_http_filter(name, port.target, scope)],
        transport_socket=server_tls.build(server, scope.settings),
    )
    built.chains.append(chain)
    built.needs_server_name = True


def _add_connections(
    built: PortChains, server: gateways_.GatewayServer, scope: scopes.Scope, *, is_terminated: bool
) -> None:
    """TCP, with or without TLS around it: the `tcp` routes of VirtualServices bound to the gateway."""
    for route, place in _tcp_routes(server, scope):
        match, socket = route.build_match(), None
        if is_terminated:
            names = _usable_names(built, server, scope, route)
            match.server_names.extend(names or ())
            match.transport_protocol = "tls" if names else ""
            socket = server_tls.build(server, scope.settings) if names is not None else None
        else:
            names = built.claim((), route)
        if names is None:
            continue
        built.needs_server_name |= is_terminated
        chain = wire.FilterChain(
            filter_chain_match=match,
            filters=connections.build_filters(route, place),
            transport_socket=socket,
        )
        built.chains.append(chain)


def _add_passthrough(built: PortChains, server: gateways_.GatewayServer, scope: scopes.Scope) -> None:
    """TLS that goes through: the `tls` routes of VirtualServices, else their `tcp` routes for the server's hosts."""
    built.needs_server_name = True
    for rule in scope.routings_for(server.gateway):
        if not server.common_hosts(rule.hosts, rule.ref.namespace):
            continue
        place = routes.Place(scope, server.server.port.number, server.gateway)
        namespace = rule.ref.namespace
        found = connections.build_tls_routes(
            rule,
            place,
            names_for=lambda wanted, ns=namespace: server.common_hosts(wanted, ns),  # type: ignore[misc]
        )
        for route in found or connections.build_tcp_routes(rule, place):
            wanted = route.server_names or ((), _named(server))[not found]
            names = built.claim(wanted, route)
            if names is None:
                continue
            match = route.build_match()
            del match.server_names[:]
            match.server_names.extend(names)
            match.transport_protocol = "tls"
            chain = wire.FilterChain(
                filter_chain_match=match, filters=connections.build_filters(route, place)
            )
            built.chains.append(chain)


def _add_auto_passthrough(built: PortChains, server: gateways_.GatewayServer, scope: scopes.Scope) -> None:
    built.needs_server_name = True
    for chain in auto_passthrough.build_chains(server, scope):
        if built.claim(chain.filter_chain_match.server_names) is not None:
            built.chains.append(chain)


def _tcp_routes(
    server: gateways_.GatewayServer, scope: scopes.Scope
) -> Iterator[tuple[connections.ConnectionRoute, routes.Place]]:
    """Routes of all VirtualServices that share a host with the server, up to one that takes every connection."""
    place = routes.Place(scope, server.server.port.number, server.gateway)
    for rule in scope.routings_for(server.gateway):
        if not server.common_hosts(rule.hosts, rule.ref.namespace):
            continue
        for route in connections.build_tcp_routes(rule, place):
            yield route, place
            if route.takes_everything:
                return


def _usable_names(
    built: PortChains,
    server: gateways_.GatewayServer,
    scope: scopes.Scope,
    route: connections.ConnectionRoute | None = None,
) -> tuple[str, ...] | None:
    """The server names left for a server that ends TLS; None without any, or without certificates."""
    settings = server.server.tls
    if settings is None or server_tls.problem_with(settings, scope.namespace, scope.snapshot.credentials):
        return None
    return built.claim(_named(server), route)


def _named(server: gateways_.GatewayServer) -> tuple[str, ...]:
    """The hosts of a server as server names; () for all, which `*` means."""
    return () if "*" in server.patterns else server.patterns


def _server_name_match(names: Sequence[str]) -> wire.FilterChainMatch:
    return wire.FilterChainMatch(server_names=names, transport_protocol="tls")


def _http_filter(routes_name: str, target_port: int, scope: scopes.Scope) -> wire.Filter:
    """A gateway is at the edge, so it does not believe what clients say about themselves."""
    manager = filters.connection_manager(
        scope.settings,
        stat_prefix=naming.stats_prefix(f"outbound_{naming.listener(naming.ANY_ADDRESS, target_port)}"),
        rds=filters.dynamic_routes(routes_name),
        http_filters=filters.outbound_http_filters(scope.settings, looks_up_hosts=scope.looks_up_hosts()),
        use_remote_address=messages.boolean(True),
        xff_num_trusted_hops=scope.settings.topology.trusted_proxies,
        server_name="istio-envoy",
        forward_client_cert_details=wire.HttpConnectionManager.ForwardClientCertDetails.Value(
            scope.settings.topology.client_certificates
        ),
        set_current_client_cert_details=wire.HttpConnectionManager.SetCurrentClientCertDetails(
            subject=messages.boolean(True), cert=True, dns=True, uri=True
        ),
    )
    return filters.http_filter(manager)


def build_listener(
    port: gateways_.GatewayPort, built: PortChains, settings: settings_.MeshSettings
) -> wire.Listener:
    """
    Put the listener of one port together.

    Source: ProxyConfig `gatewayTopology.proxyProtocol`.
    """
    address = port.bind or naming.ANY_ADDRESS
    listener = wire.Listener(
        name=naming.listener(address, port.target),
        address=filters.address(address, port.target),
        traffic_direction=core.TrafficDirection.OUTBOUND,
        filter_chains=built.chains,
    )
    if settings.topology.has_proxy_protocol:
        listener.listener_filters.append(filters.proxy_protocol())
    if built.needs_server_name:
        listener.listener_filters.append(filters.tls_inspector())
        listener.listener_filters_timeout.CopyFrom(messages.duration(settings.detection_timeout_s))
        listener.continue_on_listener_filters_timeout = True
    return listener
