"""Tracks that stand in for each other, by a real Envoy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.envoy import gateways

PODS = {"v1": "10.244.0.1", "v2": "10.244.0.2", "v3": "10.244.0.3"}
ENOUGH = 3
"""Errors in a row until Envoy ejects an endpoint, where it does."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gateways.Proxy]:
    file = Path(__file__).with_name("failover.yaml")
    with gateways.running(file, tmp_path_factory.mktemp("gateway"), pods=PODS) as running:
        yield running


def answering(gateway: gateways.Proxy, path: str) -> Counter[str]:
    return Counter(gateway.server(path, "web.example.com") for _ in range(60))


def break_down(gateway: gateways.Proxy, path: str) -> set[int]:
    return {gateway.get(f"{path}?status=500", "web.example.com").status for _ in range(ENOUGH)}


def test_a_track_with_pods_gets_all_that_is_for_it(gateway: gateways.Proxy) -> None:
    assert answering(gateway, "/v1").keys() == {"v1"}


def test_those_with_weight_stand_in_for_a_track_without_pods(gateway: gateways.Proxy) -> None:
    assert answering(gateway, "/v4").keys() == {"v1", "v2"}


def test_nobody_stands_in_where_it_is_strict(gateway: gateways.Proxy) -> None:
    assert gateway.get("/v4-only", "web.example.com").status == 503


def test_a_track_that_answers_with_errors_keeps_its_share(gateway: gateways.Proxy) -> None:
    assert break_down(gateway, "/v1") == {500}
    assert answering(gateway, "/v1").keys() == {"v1"}


def test_pods_that_are_ejected_are_stood_in_for(gateway: gateways.Proxy) -> None:
    assert break_down(gateway, "/v1-ejected") == {500}
    assert answering(gateway, "/v1-ejected").keys() == {"v3"}
