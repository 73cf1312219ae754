"""Listeners of a sidecar for what its application calls."""

from __future__ import annotations

from collections.abc import Iterable

from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import filters, naming
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import listener as wire

VIRTUAL_OUTBOUND = "virtualOutbound"


def build_virtual_outbound(settings: settings_.MeshSettings) -> wire.Listener:
    """
    The listener to which all outbound connections are redirected. It hands each to the listener of its original
    destination; what none of them takes goes where it wanted to, or nowhere.
    """
    catch_all = catch_all_cluster(settings)
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


def catch_all_cluster(settings: settings_.MeshSettings) -> str:
    is_open = settings.outbound_traffic_policy == "ALLOW_ANY"
    return naming.PASSTHROUGH if is_open else naming.BLACKHOLE


def build_http(port: int, settings: settings_.MeshSettings) -> wire.Listener:
    """All HTTP services of one port; the Host header decides. What is not HTTP passes through."""
    return _build(
        naming.ANY_ADDRESS,
        port,
        chains=[_http_chain(naming.ANY_ADDRESS, port, str(port), settings)],
        default=wire.FilterChain(
            name="PassthroughFilterChain",
            filters=[filters.tcp_proxy(catch_all_cluster(settings), settings)],
        ),
    )


def build_tcp(address: str, port: int, cluster: str, settings: settings_.MeshSettings) -> wire.Listener:
    """One service whose protocol is not HTTP; nothing is inspected, since the server may speak first."""
    return _build(address, port, default=wire.FilterChain(filters=[filters.tcp_proxy(cluster, settings)]))


def build_detecting(
    address: str, port: int, *, cluster: str, routes: str, settings: settings_.MeshSettings
) -> wire.Listener:
    """One service that does not declare its protocol: HTTP is routed, the rest is passed to its cluster."""
    return _build(
        address,
        port,
        chains=[_http_chain(address, port, routes, settings)],
        default=wire.FilterChain(filters=[filters.tcp_proxy(cluster, settings)]),
    )


def addresses_of(
    service: services.Service, port: services.ServicePort, endpoint_ips: Iterable[str]
) -> tuple[str, ...]:
    """
    The addresses that need a listener of their own for one port: the ClusterIP, or each pod of a headless service.

    Empty for HTTP, which all services share.
    """
    if port.protocol.is_http or service.external_name:
        return ()
    if service.address:
        return (service.address,)
    return tuple(dict.fromkeys(endpoint_ips)) if service.is_headless else ()


def shared_http_ports(visible: Iterable[services.Service]) -> list[int]:
    """Ports on which at least one service speaks HTTP, sorted."""
    return sorted({port.number for s in visible for port in s.ports if is_shared_http(s, port)})


def is_shared_http(service: services.Service, port: services.ServicePort) -> bool:
    """Whether a port is served by the listener that all HTTP services of the same number share."""
    if port.protocol.is_http:
        return True
    return port.protocol is protocols.Protocol.AUTO and not service.address and bool(service.external_name)


def _build(
    address: str,
    port: int,
    *,
    default: wire.FilterChain,
    chains: list[wire.FilterChain] | None = None,
) -> wire.Listener:
    listener = wire.Listener(
        name=naming.listener(address, port),
        address=filters.address(address, port),
        bind_to_port=messages.boolean(False),
        traffic_direction=core.TrafficDirection.OUTBOUND,
        default_filter_chain=default,
    )
    if chains:
        listener.filter_chains.extend(chains)
        listener.listener_filters.extend([filters.tls_inspector(), filters.http_inspector()])
        # A client that waits for the server's first word is no HTTP client: go on without having seen anything.
        listener.listener_filters_timeout.CopyFrom(messages.duration(0))
        listener.continue_on_listener_filters_timeout = True
    return listener


def _http_chain(address: str, port: int, routes: str, settings: settings_.MeshSettings) -> wire.FilterChain:
    prefix = naming.stats_prefix(f"outbound_{naming.listener(address, port)}")
    manager = filters.connection_manager(
        settings,
        stat_prefix=prefix,
        rds=filters.dynamic_routes(routes),
        http_filters=filters.outbound_http_filters(),
        use_remote_address=messages.boolean(False),
    )
    match = wire.FilterChainMatch(
        transport_protocol="raw_buffer", application_protocols=naming.PLAIN_HTTP_ALPN
    )
    return wire.FilterChain(filter_chain_match=match, filters=[filters.http_filter(manager)])
