"""Rules inside a DestinationRule that a schema cannot say, and unusual names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import destination_rules as models


def convert(**policy: Any) -> models.TrafficPolicy:
    rule = msgspec.convert({"host": "web", "trafficPolicy": policy}, models.DestinationRule)
    assert rule.traffic_policy is not None
    return rule.traffic_policy


def test_host_is_required_and_not_empty() -> None:
    for spec in ({}, {"host": ""}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(spec, models.DestinationRule)


def test_names_with_digits_are_read() -> None:
    policy = convert(
        connectionPool={"http": {"http1MaxPendingRequests": 1, "http2MaxRequests": 2}},
        outlierDetection={"consecutive5xxErrors": 0},
    )
    assert policy.connection_pool is not None
    assert policy.connection_pool.http is not None
    assert policy.connection_pool.http.http1_max_pending_requests == 1
    assert policy.outlier_detection is not None
    assert policy.outlier_detection.consecutive5xx_errors == 0


@pytest.mark.parametrize("name", ["a|b", "a b", "é", "|", "a\n", "\n"])
def test_name_that_cannot_be_part_of_another_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert({"host": "web", "subsets": [{"name": name}]}, models.DestinationRule)
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert({"host": name}, models.DestinationRule)


@pytest.mark.parametrize(
    "policy",
    [
        {"outlierDetection": {"interval": "0s"}},
        {"outlierDetection": {"baseEjectionTime": "0.5ms"}},
        {"connectionPool": {"tcp": {"maxConnectionDuration": "0s"}}},
        {"connectionPool": {"tcp": {"tcpKeepalive": {"time": "0s"}}}},
        {"connectionPool": {"tcp": {"tcpKeepalive": {"interval": "10h"}}}},
        {"connectionPool": {"tcp": {"tcpKeepalive": {"probes": 128}}}},
        {"tls": {"mode": "SIMPLE", "sni": "x" * 256}},
        {"tls": {"mode": "SIMPLE", "sni": "a\0"}},
    ],
)
def test_what_no_envoy_takes_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(**policy)
