"""Rules of a load balancer that a schema cannot say, and unusual names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import load_balancers as models


def convert(settings: dict[str, Any]) -> models.LoadBalancer:
    return msgspec.convert(settings, models.LoadBalancer)


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
        convert(balancer)


def test_word_that_python_keeps_for_itself_is_read() -> None:
    setting = {"distribute": [{"from": "a/*", "to": {"b": 100}}]}
    balancer = convert({"localityLbSetting": setting})
    assert balancer.locality_lb_setting is not None
    assert balancer.locality_lb_setting.distribute[0].from_ == "a/*"


@pytest.mark.parametrize("size", [2, 79, 65537, 5_000_011])
def test_prime_table_is_taken(size: int) -> None:
    balancer = convert({"consistentHash": {"useSourceIp": True, "maglev": {"tableSize": size}}})
    assert balancer.consistent_hash is not None
    assert balancer.consistent_hash.maglev == models.Maglev(table_size=size)


@pytest.mark.parametrize("size", [1, 80, 65536, 5_000_077])
def test_table_that_envoy_does_not_take_is_refused(size: int) -> None:
    with pytest.raises(msgspec.ValidationError, match="prime number up to 5000011"):
        convert({"consistentHash": {"useSourceIp": True, "maglev": {"tableSize": size}}})


@pytest.mark.parametrize(
    "balancer",
    [
        {"warmup": {"duration": "0s"}},
        {"warmup": {"duration": "1s", "aggression": 0}},
        {"consistentHash": {"httpCookie": {"name": ""}}},
        {"consistentHash": {"httpCookie": {"name": "a", "path": "\n"}}},
        {"consistentHash": {"httpQueryParameterName": ""}},
    ],
)
def test_what_no_envoy_takes_is_refused(balancer: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(balancer)
