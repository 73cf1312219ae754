"""Faults and CORS of single routes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import faults, http_actions, matching
from bookmesh.mesh.translate import route_filters


def fault(**spec: Any) -> Any:
    return route_filters.build_fault(msgspec.convert(spec, faults.HttpFaultInjection))


@pytest.mark.parametrize(("percent", "numerator"), [(0, 0), (100, 1_000_000), (12.5, 125_000), (0.0001, 1)])
def test_percent_is_counted_in_millionths(percent: float, numerator: int) -> None:
    assert route_filters.build_percent(matching.Percent(value=percent)).numerator == numerator


def test_delay_without_percentage_is_never_injected() -> None:
    assert fault(delay={"fixedDelay": "5s"}).delay.percentage.numerator == 0


def test_fault_that_says_nothing_is_none() -> None:
    assert fault() is None
    assert fault(delay={"percentage": {"value": 100}}) is None


def test_abort_has_a_http_or_grpc_status() -> None:
    assert fault(abort={"httpStatus": 404}).abort.http_status == 404
    assert fault(abort={"grpcStatus": "NOT_FOUND"}).abort.grpc_status == 5


def test_old_spelling_of_origins_means_exact_ones() -> None:
    built = route_filters.build_cors(http_actions.CorsPolicy(allow_origin=("https://a.example.com",)))
    assert [origin.exact for origin in built.allow_origin_string_match] == ["https://a.example.com"]
    assert built.forward_not_matching_preflights.value is True
