"""HTTP options of a cluster: the version spoken, limits on single connections, and which answers count as errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.model import connection_pools, destination_rules
from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.translate import client_tls, traffic_policies
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import route as route_wire

_NAME: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_PASSED_ON_IDLE_S: Final = 300.0


def is_http2(
    port: services.ServicePort,
    pool: connection_pools.ConnectionPool | None,
    *,
    is_router: bool,
    upgrades: bool = False,
) -> bool:
    """
    Whether a proxy speaks HTTP/2 to a port. `upgrades`: the mesh wants it wherever HTTP is declared, unless a rule
    says otherwise; no rule takes it away from a port that declares it, or from callers of an undeclared port.
    """
    http = pool.http if pool is not None else None
    if port.protocol.is_http2:
        return True
    if keeps_version(port, is_router=is_router) or (http is not None and http.use_client_protocol):
        return False
    if http is not None and http.h2_upgrade_policy in ("UPGRADE", "DO_NOT_UPGRADE"):
        return http.h2_upgrade_policy == "UPGRADE"
    return upgrades and port.protocol.is_http


def keeps_version(port: services.ServicePort, *, is_router: bool) -> bool:
    """On a port without a declared protocol a sidecar goes on with the version that its caller speaks."""
    return port.protocol is protocols.Protocol.AUTO and not is_router


def apply_outbound(
    cluster: wire.Cluster,
    port: services.ServicePort,
    effective: traffic_policies.EffectivePolicy,
    *,
    speaks_http2: bool,
    is_router: bool,
) -> None:
    """
    HTTP/1.1 unless declared otherwise. On undeclared ports a sidecar keeps the caller's version.

    Source: DestinationRule `trafficPolicy.connectionPool`, `outlierDetection`, `tls`.
    """
    pool = effective.connection_pool
    common = traffic_policies.common_http_options(pool)
    errors = _error_matcher(effective.outlier_detection)
    as_called = pool is not None and pool.http is not None and pool.http.use_client_protocol
    originates = client_tls.is_origination(effective.tls)
    if as_called or keeps_version(port, is_router=is_router):
        options = same_as_downstream()
    elif speaks_http2:
        options = _http2_with_limits(pool.http if pool is not None else None)
    elif common is not None or originates or errors is not None:
        options = _explicit_http1()
    else:
        return
    if common is not None:
        options.common_http_protocol_options.CopyFrom(common)
    if errors is not None:
        options.outlier_detection.error_matcher.CopyFrom(errors)
    if originates and effective.tls is not None and not effective.tls.sni:
        verifies = not effective.tls.insecure_skip_verify and not effective.tls.subject_alt_names
        options.upstream_http_protocol_options.auto_sni = True
        options.upstream_http_protocol_options.auto_san_validation = verifies
    put(cluster, options)


def apply_inbound(
    cluster: wire.Cluster,
    protocol: protocols.Protocol,
    pool: connection_pools.ConnectionPool | None,
) -> None:
    """Towards the application: the declared version, or that of the caller on undeclared ports."""
    common = traffic_policies.common_http_options(pool)
    if protocol.is_http2:
        options = _http2_with_limits(pool.http if pool is not None else None)
    elif protocol is protocols.Protocol.AUTO:
        options = same_as_downstream()
    elif common is not None:
        options = _explicit_http1()
    else:
        return
    if common is not None:
        options.common_http_protocol_options.CopyFrom(common)
    put(cluster, options)


def pass_on(cluster: wire.Cluster) -> None:
    """For clusters that lead wherever the caller wanted to go: its version of HTTP, and no idle connection for long."""
    options = same_as_downstream()
    idle = messages.duration(_PASSED_ON_IDLE_S)
    options.common_http_protocol_options.idle_timeout.CopyFrom(idle)
    put(cluster, options)


def put(cluster: wire.Cluster, options: Any) -> None:
    cluster.typed_extension_protocol_options[_NAME].CopyFrom(messages.pack(options))


def _explicit_http2() -> wire.HttpProtocolOptions:
    return wire.HttpProtocolOptions(
        explicit_http_config=wire.HttpProtocolOptions.ExplicitHttpConfig(
            http2_protocol_options=wire.Http2ProtocolOptions()
        )
    )


def same_as_downstream() -> wire.HttpProtocolOptions:
    return wire.HttpProtocolOptions(
        use_downstream_protocol_config=wire.HttpProtocolOptions.UseDownstreamHttpConfig(
            http_protocol_options=wire.Http1ProtocolOptions(),
            http2_protocol_options=wire.Http2ProtocolOptions(),
        )
    )


def _explicit_http1() -> wire.HttpProtocolOptions:
    return wire.HttpProtocolOptions(
        explicit_http_config=wire.HttpProtocolOptions.ExplicitHttpConfig(
            http_protocol_options=wire.Http1ProtocolOptions()
        )
    )


def _http2_with_limits(http: connection_pools.HttpSettings | None) -> wire.HttpProtocolOptions:
    options = _explicit_http2()
    http2 = options.explicit_http_config.http2_protocol_options
    if http is not None and http.max_concurrent_streams:
        http2.max_concurrent_streams.value = http.max_concurrent_streams
    if http is not None and http.http2_keep_alive is not None:
        pings = http.http2_keep_alive
        for name, text in (("interval", pings.interval), ("timeout", pings.timeout)):
            if text is not None:
                getattr(http2.connection_keepalive, name).CopyFrom(messages.duration(parse_duration_s(text)))
    return options


def _error_matcher(settings: destination_rules.OutlierDetection | None) -> wire.MatchPredicate | None:
    """Answers with these status codes count as errors, and no others."""
    codes: Sequence[int] = settings.outlier_detection_http_error_codes if settings is not None else ()
    rules = [_status_predicate(code) for code in codes]
    if len(rules) > 1:
        return wire.MatchPredicate(or_match=wire.MatchPredicate.MatchSet(rules=rules))
    return rules[0] if rules else None


def _status_predicate(code: int) -> wire.MatchPredicate:
    status = route_wire.HeaderMatcher(name=":status", string_match=core.StringMatcher(exact=str(code)))
    return wire.MatchPredicate(http_response_headers_match=wire.HttpHeadersMatch(headers=[status]))
