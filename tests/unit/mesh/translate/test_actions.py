"""Redirects, retries, mirrors and hashes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import http_actions, load_balancers, virtual_services
from bookmesh.mesh.translate import actions


@pytest.mark.parametrize(
    ("redirect", "port"),
    [
        ({"port": 8080}, 8080),
        ({"port": 80}, 0),
        ({"port": 443, "scheme": "https"}, 0),
        ({"port": 80, "scheme": "https"}, 80),
        ({"derivePort": "FROM_REQUEST_PORT"}, 9080),
        ({"derivePort": "FROM_PROTOCOL_DEFAULT"}, 0),
        ({}, 0),
    ],
)
def test_port_of_a_redirect_is_left_out_when_it_goes_without_saying(
    redirect: dict[str, Any], port: int
) -> None:
    parsed = msgspec.convert(redirect, http_actions.HttpRedirect)
    assert actions.build_redirect(parsed, port=9080).port_redirect == port


def test_two_retries_on_other_hosts_are_the_default() -> None:
    policy = actions.build_retry_policy(None)
    assert policy.num_retries.value == 2
    assert len(policy.retry_host_predicate) == 1


def test_consistent_hash_retries_the_same_host() -> None:
    assert not actions.build_retry_policy(None, is_consistent_hash=True).retry_host_predicate


def test_no_attempts_switch_retries_off() -> None:
    assert actions.build_retry_policy(http_actions.HttpRetry(attempts=0)) is None


@pytest.mark.parametrize(
    ("retry_on", "names", "codes"),
    [
        ("5xx, 503", "5xx,retriable-status-codes", [503]),
        ("503,retriable-status-codes", "retriable-status-codes", [503]),
        ("reset", "reset", []),
    ],
)
def test_numbers_in_retry_conditions_are_status_codes(retry_on: str, names: str, codes: list[int]) -> None:
    policy = actions.build_retry_policy(http_actions.HttpRetry(attempts=1, retry_on=retry_on))
    assert (policy.retry_on, list(policy.retriable_status_codes)) == (names, codes)


@pytest.mark.parametrize(
    ("route", "percent"),
    [
        ({}, 100.0),
        ({"mirrorPercent": 5}, 5.0),
        ({"mirror_percent": 6}, 6.0),
        ({"mirrorPercent": 5, "mirrorPercentage": {"value": 7.5}}, 7.5),
        ({"mirrorPercentage": {"value": 0}}, 0.0),
    ],
)
def test_newest_spelling_of_the_mirrored_share_wins(route: dict[str, Any], percent: float) -> None:
    spec = {"route": [{"destination": {"host": "web"}}], **route}
    assert actions.mirror_percent(msgspec.convert(spec, virtual_services.HttpRoute)).value == percent


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"httpHeaderName": "x"}, "header"),
        ({"httpCookie": {"name": "x"}}, "cookie"),
        ({"useSourceIp": True}, "connection_properties"),
        ({"httpQueryParameterName": "x"}, "query_parameter"),
    ],
)
def test_hash_is_taken_from_what_the_rule_names(settings: dict[str, Any], kind: str) -> None:
    policy = actions.build_hash_policy(msgspec.convert(settings, load_balancers.ConsistentHash))
    assert policy.WhichOneof("policy_specifier") == kind


def test_rule_that_names_nothing_hashes_nothing() -> None:
    assert actions.build_hash_policy(load_balancers.ConsistentHash()) is None
