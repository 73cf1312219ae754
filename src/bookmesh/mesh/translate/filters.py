"""Network and HTTP filters: the HTTP connection manager, the TCP proxy, access logs, inspectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bookmesh.mesh.model import sidecars
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import (
    access_logs,
    dynamic_forwarding,
    naming,
    route_filters,
    tcp_options,
    transport_sockets,
)
from bookmesh.mesh.wire import core, filter_state, messages
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import route as route_wire

ALPN_FILTER: Final = "envoy.filters.http.set_filter_state"


def connection_manager(settings: settings_.MeshSettings, **fields: Any) -> wire.HttpConnectionManager:
    """
    What all connection managers have in common; `fields` add the route, the filters and the rest.

    Source: MeshConfig `pathNormalization`, ProxyConfig `proxyHeaders`.
    """
    headers = settings.proxy_headers
    if headers.hides_itself:
        fields["server_name"] = ""
        fields["server_header_transformation"] = wire.HttpConnectionManager.PASS_THROUGH
    elif headers.server is not None:
        fields["server_name"] = headers.server
    if not headers.numbers_requests:
        fields["generate_request_id"] = messages.boolean(False)
    normalization = settings.path_normalization
    unescapes = normalization == "DECODE_AND_MERGE_SLASHES"
    return wire.HttpConnectionManager(
        codec_type=wire.HttpConnectionManager.AUTO,
        normalize_path=messages.boolean(normalization != "NONE"),
        merge_slashes=normalization in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"),
        path_with_escaped_slashes_action=(
            wire.HttpConnectionManager.UNESCAPE_AND_FORWARD
            if unescapes
            else wire.HttpConnectionManager.KEEP_UNCHANGED
        ),
        stream_idle_timeout=messages.duration(0),
        proxy_100_continue=True,
        upgrade_configs=[wire.HttpConnectionManager.UpgradeConfig(upgrade_type="websocket")],
        access_log=access_logs.build(settings),
        tracing=_tracing(),
        **fields,
    )


def _tracing() -> wire.HttpConnectionManager.Tracing:
    """
    Trace nothing, but have the operation of a route go along as `x-envoy-decorator-operation`.

    What is inbound takes the header away from requests, and answers with it.
    """
    none = core.Percent(value=0)
    return wire.HttpConnectionManager.Tracing(
        client_sampling=none, random_sampling=none, overall_sampling=none
    )


def http_filter(manager: wire.HttpConnectionManager) -> wire.Filter:
    return wire.Filter(
        name="envoy.filters.network.http_connection_manager", typed_config=messages.pack(manager)
    )


def dynamic_routes(name: str) -> wire.Rds:
    return wire.Rds(config_source=transport_sockets.ads_source(), route_config_name=name)


def outbound_http_filters(
    settings: settings_.MeshSettings, *, looks_up_hosts: bool = False
) -> list[wire.HttpFilter]:
    """
    Filters that routes may switch on, each for itself, before the router.

    `looks_up_hosts`: routes may lead to services whose hosts are found when they are called.
    """
    return [
        _http_filter(ALPN_FILTER, filter_state.Config()),
        _http_filter(route_filters.FAULT_FILTER, route_wire.HTTPFault()),
        _http_filter(route_filters.CORS_FILTER, wire.Cors()),
        *([dynamic_forwarding.http_filter()] if looks_up_hosts else []),
        router(settings),
    ]


def router(settings: settings_.MeshSettings) -> wire.HttpFilter:
    config = wire.Router(suppress_envoy_headers=not settings.proxy_headers.tells_more)
    return _http_filter("envoy.filters.http.router", config)


def mesh_http_alpn() -> filter_state.Config:
    """
    Tell the peer's sidecar that HTTP is inside the mTLS, for ports that do not declare a protocol.

    None of the names is one a TLS server would choose, so the peer still finds out the HTTP version by itself.
    """
    value = filter_state.FilterStateValue(
        object_key="envoy.network.application_protocols",
        format_string=core.SubstitutionFormatString(
            text_format_source=core.DataSource(inline_string="istio-http/1.1,istio")
        ),
        shared_with_upstream=filter_state.FilterStateValue.ONCE,
    )
    return filter_state.Config(on_request_headers=[value])


def tcp_proxy(
    cluster: str,
    settings: settings_.MeshSettings,
    *,
    options: tcp_options.TcpOptions = tcp_options.NO_OPTIONS,
) -> wire.Filter:
    proxy = wire.TcpProxy(stat_prefix=cluster, cluster=cluster, access_log=access_logs.build(settings))
    options.apply(proxy)
    return wire.Filter(name="envoy.filters.network.tcp_proxy", typed_config=messages.pack(proxy))


def tcp_split(
    targets: Sequence[tuple[str, int]],
    settings: settings_.MeshSettings,
    *,
    stat_prefix: str,
    options: tcp_options.TcpOptions = tcp_options.NO_OPTIONS,
) -> wire.Filter:
    """Spread connections over clusters by weight."""
    split = wire.TcpProxy.WeightedCluster(
        clusters=[
            wire.TcpProxy.WeightedCluster.ClusterWeight(name=cluster, weight=weight)
            for cluster, weight in targets
        ]
    )
    proxy = wire.TcpProxy(
        stat_prefix=stat_prefix, weighted_clusters=split, access_log=access_logs.build(settings)
    )
    options.apply(proxy)
    return wire.Filter(name="envoy.filters.network.tcp_proxy", typed_config=messages.pack(proxy))


def original_destination() -> wire.ListenerFilter:
    return _listener_filter("envoy.filters.listener.original_dst", wire.OriginalDst())


def proxy_protocol() -> wire.ListenerFilter:
    """Take the address of the caller from what a load balancer sends first; who does not send it is refused."""
    return _listener_filter("envoy.filters.listener.proxy_protocol", wire.ProxyProtocol())


def tls_inspector() -> wire.ListenerFilter:
    return _listener_filter("envoy.filters.listener.tls_inspector", wire.TlsInspector())


def http_inspector(*, except_ports: Sequence[int] = ()) -> wire.ListenerFilter:
    """Look for HTTP; not on ports whose protocol is known, where it would only cost time."""
    inspector = _listener_filter("envoy.filters.listener.http_inspector", wire.HttpInspector())
    predicates = [
        wire.ListenerFilterChainMatchPredicate(
            destination_port_range=core.Int32Range(start=port, end=port + 1)
        )
        for port in except_ports
    ]
    if len(predicates) == 1:
        inspector.filter_disabled.CopyFrom(predicates[0])
    elif predicates:
        inspector.filter_disabled.or_match.rules.extend(predicates)
    return inspector


def address(host: str, port: int) -> core.Address:
    """The address of a listener; `host` may be a Unix socket, `unix://PATH`, which has no port."""
    if host.startswith(sidecars.UNIX):
        return core.Address(pipe=core.Pipe(path=host.removeprefix(sidecars.UNIX)))
    return core.Address(socket_address=core.SocketAddress(address=host, port_value=port))


def blackhole_chain(name: str, port: int, settings: settings_.MeshSettings) -> wire.FilterChain:
    """Refuse connections to the redirect port itself, which would otherwise be sent in circles."""
    return wire.FilterChain(
        name=name,
        filter_chain_match=wire.FilterChainMatch(destination_port=messages.uint32(port)),
        filters=[tcp_proxy(naming.BLACKHOLE, settings)],
    )


def _http_filter(name: str, config: Any) -> wire.HttpFilter:
    return wire.HttpFilter(name=name, typed_config=messages.pack(config))


def _listener_filter(name: str, config: Any) -> wire.ListenerFilter:
    return wire.ListenerFilter(name=name, typed_config=messages.pack(config))
