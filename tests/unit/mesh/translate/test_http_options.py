"""HTTP options of clusters."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import connection_pools, destination_rules
from bookmesh.mesh.registry import services
from bookmesh.mesh.registry.protocols import Protocol
from bookmesh.mesh.translate import http_options, traffic_policies
from bookmesh.mesh.wire import cluster as wire

NAME = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def options(protocol: Protocol, *, is_router: bool = False, **policy: Any) -> Any:
    """The options that a policy gives; None when there are none."""
    level = msgspec.convert(policy, destination_rules.TrafficPolicy)
    effective = traffic_policies.EffectivePolicy(
        connection_pool=level.connection_pool, outlier_detection=level.outlier_detection, tls=level.tls
    )
    port = services.ServicePort("p", 80, protocol, 80)
    cluster = wire.Cluster()
    speaks_http2 = http_options.is_http2(port, effective.connection_pool, is_router=is_router)
    http_options.apply_outbound(cluster, port, effective, speaks_http2=speaks_http2, is_router=is_router)
    found = cluster.typed_extension_protocol_options
    return wire.HttpProtocolOptions.FromString(found[NAME].value) if NAME in found else None


def kind(found: Any) -> str:
    if found is None:
        return "none"
    return str(
        found.explicit_http_config.WhichOneof("protocol_config")
        or found.WhichOneof("upstream_protocol_options")
    )


@pytest.mark.parametrize(
    ("protocol", "http", "expected"),
    [
        (Protocol.HTTP, {}, "none"),
        (Protocol.HTTP, {"h2UpgradePolicy": "UPGRADE"}, "http2_protocol_options"),
        (Protocol.GRPC, {}, "http2_protocol_options"),
        (Protocol.HTTP2, {"h2UpgradePolicy": "DO_NOT_UPGRADE"}, "http2_protocol_options"),
        (Protocol.AUTO, {"h2UpgradePolicy": "UPGRADE"}, "use_downstream_protocol_config"),
        (Protocol.HTTP, {"useClientProtocol": True}, "use_downstream_protocol_config"),
        (Protocol.AUTO, {}, "use_downstream_protocol_config"),
        (Protocol.HTTP, {"idleTimeout": "1s"}, "http_protocol_options"),
    ],
)
def test_version_follows_port_and_policy(protocol: Protocol, http: dict[str, Any], expected: str) -> None:
    assert kind(options(protocol, connectionPool={"http": http})) == expected


def test_pings_and_streams_are_for_http2() -> None:
    http = {"maxConcurrentStreams": 7, "http2KeepAlive": {"interval": "30s", "timeout": "4s"}}
    found = options(Protocol.GRPC, connectionPool={"http": http}).explicit_http_config.http2_protocol_options
    pings = found.connection_keepalive
    assert (found.max_concurrent_streams.value, pings.interval.seconds, pings.timeout.seconds) == (7, 30, 4)


def test_idle_time_of_tcp_counts_when_http_has_none() -> None:
    pool: dict[str, Any] = {"tcp": {"idleTimeout": "9s"}}
    assert options(Protocol.HTTP, connectionPool=pool).common_http_protocol_options.idle_timeout.seconds == 9
    pool["http"] = {"idleTimeout": "2s"}
    assert options(Protocol.HTTP, connectionPool=pool).common_http_protocol_options.idle_timeout.seconds == 2


@pytest.mark.parametrize(("codes", "number"), [([500], 1), ([500, 429], 2)])
def test_status_codes_that_count_as_errors(codes: list[int], number: int) -> None:
    found = options(Protocol.HTTP, outlierDetection={"outlierDetectionHttpErrorCodes": codes})
    matcher = found.outlier_detection.error_matcher
    rules = matcher.or_match.rules if number > 1 else [matcher]
    texts = [rule.http_response_headers_match.headers[0].string_match.exact for rule in rules]
    assert texts == [str(code) for code in codes]


def test_limits_of_the_application_are_inbound() -> None:
    pool = msgspec.convert({"http": {"idleTimeout": "3s"}}, connection_pools.ConnectionPool)
    cluster = wire.Cluster()
    http_options.apply_inbound(cluster, Protocol.HTTP, pool)
    found = wire.HttpProtocolOptions.FromString(cluster.typed_extension_protocol_options[NAME].value)
    assert found.common_http_protocol_options.idle_timeout.seconds == 3
    plain = wire.Cluster()
    http_options.apply_inbound(plain, Protocol.TCP, None)
    assert plain == wire.Cluster()
