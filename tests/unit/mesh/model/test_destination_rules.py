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


@pytest.mark.parametrize(
    "balancer",
    [
        {"simple": "RANDOM", "consistentHash": {"httpHeaderName": "x"}},
        {"consistentHash": {"httpHeaderName": "x", "useSourceIp": True}},
        {"consistentHash": {"httpHeaderName": "x", "maglev": {}, "ringHash": {}}},
        {"simple": "BEST"},
        {"consistentHash": {"httpHeaderName": "x\n"}},
        {"consistentHash": {"httpHeaderName": "x y"}},
    ],
)
def test_load_balancers_that_cannot_be_are_refused(balancer: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(loadBalancer=balancer)


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


def test_word_that_python_keeps_for_itself_is_read() -> None:
    setting = {"distribute": [{"from": "a/*", "to": {"b": 100}}]}
    policy = convert(loadBalancer={"localityLbSetting": setting})
    assert policy.load_balancer is not None
    assert policy.load_balancer.locality_lb_setting is not None
    assert policy.load_balancer.locality_lb_setting.distribute[0].from_ == "a/*"


@pytest.mark.parametrize("size", [2, 79, 65537, 5_000_011])
def test_prime_table_is_taken(size: int) -> None:
    policy = convert(loadBalancer={"consistentHash": {"useSourceIp": True, "maglev": {"tableSize": size}}})
    assert policy.load_balancer is not None


@pytest.mark.parametrize("size", [1, 80, 65536, 5_000_077])
def test_table_that_envoy_does_not_take_is_refused(size: int) -> None:
    with pytest.raises(msgspec.ValidationError, match="prime number up to 5000011"):
        convert(loadBalancer={"consistentHash": {"useSourceIp": True, "maglev": {"tableSize": size}}})


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
        {"loadBalancer": {"warmup": {"duration": "0s"}}},
        {"loadBalancer": {"warmup": {"duration": "1s", "aggression": 0}}},
        {"loadBalancer": {"consistentHash": {"httpCookie": {"name": ""}}}},
        {"loadBalancer": {"consistentHash": {"httpCookie": {"name": "a", "path": "\n"}}}},
        {"loadBalancer": {"consistentHash": {"httpQueryParameterName": ""}}},
        {"tls": {"mode": "SIMPLE", "sni": "x" * 256}},
        {"tls": {"mode": "SIMPLE", "sni": "a\0"}},
    ],
)
def test_what_no_envoy_takes_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(**policy)
