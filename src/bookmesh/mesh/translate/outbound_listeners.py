"""Listeners of a sidecar for what its application calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import filters, naming
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import listener as wire

VIRTUAL_OUTBOUND = "virtualOutbound"
# The proxy listens there on all addresses itself; Envoy takes no second listener of the same address.
RESERVED = frozenset({naming.OUTBOUND_PORT, naming.INBOUND_PORT})


def build_virtual_outbound(settings: settings_.MeshSettings) -> wire.Listener:
    """
    The listener to which all outbound connections are redirected. It hands each to the listener of its original
    destination; what none of them takes goes where it wanted to, or nowhere.
    """
    catch_all = naming.catch_all_cluster(settings)
    return wire.Listener(
        name=VIRTUAL_OUTBOUND,
        address=filters.address(naming.ANY_ADDRESS, naming.OUTBOUND_PORT),
        traffic_direction=core.TrafficDirection.OUTBOUND,
        use_original_dst=messages.boolean(True),
        filter_chains=[
            filters.blackhole_chain("virtualOutbound-blackhole", naming.OUTBOUND_PORT, settings),
        ],
        default_filter_chain=wire.FilterChain(
            name="virtualOutbound-catchall-tcp", filters=[filters.tcp_proxy(catch_all, settings)]
        ),
    )


def build_http(port: int, settings: settings_.MeshSettings, *, looks_up_hosts: bool = False) -> wire.Listener:
    """All HTTP services of one port; the Host header decides. What is not HTTP passes through."""
    return build_shared(
        port, has_http=True, chains=(), default=None, looks_up_hosts=looks_up_hosts, settings=settings
    )


def build_shared(
    port: int,
    *,
    has_http: bool,
    chains: Sequence[wire.FilterChain],
    default: wire.FilterChain | None,
    looks_up_hosts: bool = False,
    settings: settings_.MeshSettings,
) -> wire.Listener:
    """All services of one port without a listener of their own; what nobody takes goes where it wanted to."""
    http = []
    if has_http:
        http.append(_http_chain(naming.ANY_ADDRESS, port, str(port), settings, looks_up_hosts=looks_up_hosts))
    return _build(
        naming.ANY_ADDRESS,
        port,
        chains=[*http, *chains],
        default=default or _catch_all(settings),
        has_http=has_http,
        settings=settings,
    )


def build_tcp(
    address: str,
    port: int,
    *,
    chains: Sequence[wire.FilterChain] = (),
    default: wire.FilterChain,
    settings: settings_.MeshSettings,
) -> wire.Listener:
    """One service whose protocol is not HTTP; plain connections are not inspected: the server may speak first."""
    return _build(address, port, chains=[*chains], default=default, has_http=False, settings=settings)


def build_detecting(
    address: str,
    port: int,
    *,
    routes: str,
    chains: Sequence[wire.FilterChain] = (),
    default: wire.FilterChain,
    settings: settings_.MeshSettings,
) -> wire.Listener:
    """One service that does not declare its protocol: HTTP is routed, the rest is passed to its cluster."""
    http = _http_chain(address, port, routes, settings)
    return _build(address, port, chains=[http, *chains], default=default, has_http=True, settings=settings)


def addresses_of(
    service: services.Service, port: services.ServicePort, endpoint_ips: Iterable[str]
) -> tuple[str, ...]:
    """
    The addresses that need a listener of their own for one port: the ClusterIP, or each pod of a headless service.

    Empty for HTTP, which all services share.
    """
    if port.protocol.is_http or service.external_name:
        return ()
    if service.addresses:
        return service.addresses
    return tuple(dict.fromkeys(endpoint_ips)) if service.is_headless else ()


def shared_http_ports(called: Iterable[tuple[services.Service, services.ServicePort]]) -> list[int]:
    """Ports on which at least one service speaks HTTP, sorted; without those of the proxy itself."""
    return sorted({port.number for service, port in called if is_shared_http(service, port)} - RESERVED)


def shared_connection_ports(called: Iterable[tuple[services.Service, services.ServicePort]]) -> set[int]:
    """Ports whose shared listener takes connections that are not HTTP; without those of the proxy itself."""
    return {port.number for service, port in called if shares_connections(service, port)} - RESERVED


def is_shared_http(service: services.Service, port: services.ServicePort) -> bool:
    """Whether a port is served by the listener that all HTTP services of the same number share."""
    if port.protocol.is_http:
        return True
    is_named = bool(service.external_name) or service.entry is not None
    return port.protocol is protocols.Protocol.AUTO and not service.addresses and is_named


def shares_connections(service: services.Service, port: services.ServicePort) -> bool:
    """Whether connections to a port that are not HTTP are taken by the listener that services without address share."""
    is_named = bool(service.external_name) or service.entry is not None
    return not port.protocol.is_http and is_named and (not service.addresses or bool(service.ranges))


def build_placed(
    address: str,
    port: int,
    *,
    is_bound: bool,
    routes: str,
    is_http_only: bool,
    chains: Sequence[wire.FilterChain],
    default: wire.FilterChain | None,
    looks_up_hosts: bool,
    settings: settings_.MeshSettings,
) -> wire.Listener:
    """A listener at a place of its own, an address or a Unix socket; HTTP is routed by `routes`, if there are any."""
    http = [_http_chain(address, port, routes, settings, looks_up_hosts=looks_up_hosts)] if routes else []
    if is_http_only:
        default = http.pop()
        default.ClearField("filter_chain_match")
    listener = _build(
        address,
        port,
        chains=[*http, *chains],
        default=default or _catch_all(settings),
        has_http=bool(http),
        settings=settings,
    )
    if is_bound:
        listener.ClearField("bind_to_port")
    return listener


def _catch_all(settings: settings_.MeshSettings) -> wire.FilterChain:
    return wire.FilterChain(
        name="PassthroughFilterChain",
        filters=[filters.tcp_proxy(naming.catch_all_cluster(settings), settings)],
    )


def _build(
    address: str,
    port: int,
    *,
    default: wire.FilterChain,
    chains: list[wire.FilterChain],
    has_http: bool,
    settings: settings_.MeshSettings,
) -> wire.Listener:
    listener = wire.Listener(
        name=naming.listener(address, port),
        address=filters.address(address, port),
        bind_to_port=messages.boolean(False),
        traffic_direction=core.TrafficDirection.OUTBOUND,
        default_filter_chain=default,
    )
    listener.filter_chains.extend(chains)
    looks_for_names = any(chain.filter_chain_match.server_names for chain in chains)
    if has_http or looks_for_names:
        listener.listener_filters.append(filters.tls_inspector())
        # A client that waits for the server's first word is no HTTP client: go on without having seen anything.
        listener.listener_filters_timeout.CopyFrom(messages.duration(settings.detection_timeout_s))
        listener.continue_on_listener_filters_timeout = True
    if has_http:
        listener.listener_filters.append(filters.http_inspector())
    return listener


def _http_chain(
    address: str, port: int, routes: str, settings: settings_.MeshSettings, *, looks_up_hosts: bool = False
) -> wire.FilterChain:
    prefix = naming.stats_prefix(f"outbound_{naming.listener(address, port)}")
    manager = filters.connection_manager(
        settings,
        stat_prefix=prefix,
        rds=filters.dynamic_routes(routes),
        http_filters=filters.outbound_http_filters(settings, looks_up_hosts=looks_up_hosts),
        use_remote_address=messages.boolean(False),
    )
    match = wire.FilterChainMatch(
        transport_protocol="raw_buffer", application_protocols=naming.PLAIN_HTTP_ALPN
    )
    return wire.FilterChain(filter_chain_match=match, filters=[filters.http_filter(manager)])
