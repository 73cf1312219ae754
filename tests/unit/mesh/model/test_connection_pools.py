"""Limits that Envoy or the operating system does not take."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import connection_pools as models


def convert(pool: dict[str, Any]) -> models.ConnectionPool:
    return msgspec.convert(pool, models.ConnectionPool)


@pytest.mark.parametrize("timeout", ["0s", "999us"])
def test_time_to_connect_that_is_none_is_refused(timeout: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="connectTimeout must be at least 1ms"):
        convert({"tcp": {"connectTimeout": timeout}})
    assert convert({"tcp": {"connectTimeout": "1ms"}}).tcp is not None


@pytest.mark.parametrize(
    ("pings", "words"),
    [
        ({"interval": "30s"}, "http2KeepAlive needs a timeout"),
        ({"interval": "0s", "timeout": "1s"}, "interval must be at least 1ms"),
        ({"timeout": "0s"}, "timeout must be at least 1ms"),
    ],
)
def test_pings_that_envoy_does_not_take_are_refused(pings: dict[str, str], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        convert({"http": {"http2KeepAlive": pings}})


@pytest.mark.parametrize(
    "pool",
    [
        {"tcp": {"maxConnections": -1}},
        {"http": {"http1MaxPendingRequests": -1}},
        {"http": {"http2MaxRequests": -1}},
        {"http": {"maxRequestsPerConnection": -1}},
        {"http": {"maxRetries": -1}},
        {"http": {"maxConcurrentStreams": -1}},
    ],
)
def test_less_than_nothing_is_no_limit(pool: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match=">= 0"):
        convert(pool)
