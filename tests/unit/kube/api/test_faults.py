"""Faults on demand: for whom they are, what they say, and when they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import authorization, faults

LIST_PODS = authorization.Action("list", "", "pods", namespace="default")
SCALE = authorization.Action("patch", "apps", "deployments", "scale", "default", "web")


@pytest.mark.parametrize(
    ("fields", "action", "expected"),
    [
        ({}, LIST_PODS, True),
        ({"verb": "list", "resource": "pods"}, LIST_PODS, True),
        ({"verb": "get"}, LIST_PODS, False),
        ({"resource": "services"}, LIST_PODS, False),
        ({"namespace": "default"}, LIST_PODS, True),
        ({"namespace": "shop"}, LIST_PODS, False),
        ({"resource": "deployments/scale"}, SCALE, True),
        ({"resource": "deployments.apps/scale"}, SCALE, True),
        ({"resource": "deployments.apps"}, SCALE, False),
        ({"resource": "deployments"}, SCALE, False),
        ({}, authorization.Action("get", path="/healthz"), False),
    ],
)
def test_for_which_requests_a_fault_is(
    fields: dict[str, Any], action: authorization.Action, expected: bool
) -> None:
    assert faults.Fault(code=500, **fields).is_for(action) is expected


async def strikes(dial: faults.Faults, action: authorization.Action = LIST_PODS) -> int:
    """The code with which a request is refused, 0 when it passes."""
    try:
        await dial.strike(action)
    except ApiError as error:
        return error.code
    return 0


async def test_a_fault_strikes_until_it_is_used_up() -> None:
    dial = faults.Faults()
    assert await strikes(dial) == 0
    dial.add(faults.Fault(code=429, count=2))
    assert [await strikes(dial) for _ in range(3)] == [429, 429, 0]
    assert dial.all() == []


async def test_a_fault_strikes_now_and_then() -> None:
    numbers = iter([0.05, 0.1, 0.5, 0.09])
    dial = faults.Faults(chance=lambda: next(numbers))
    dial.add(faults.Fault(code=503, rate=0.1))
    assert [await strikes(dial) for _ in range(4)] == [503, 0, 0, 503]


async def test_faults_are_taken_back() -> None:
    dial = faults.Faults()
    first, second = dial.add(faults.Fault(code=500)), dial.add(faults.Fault(code=503))
    assert (first.number, second.number) == (1, 2)
    dial.remove(1)
    assert await strikes(dial) == 503
    with pytest.raises(KeyError):
        dial.remove(1)
    dial.clear()
    assert await strikes(dial) == 0


async def test_a_delay_lets_others_go_on() -> None:
    dial = faults.Faults()
    dial.add(faults.Fault(delay_s=0.05, count=1))
    slow = asyncio.ensure_future(strikes(dial))
    await asyncio.sleep(0)
    assert await strikes(dial) == 0
    assert not slow.done()
    assert await slow == 0


@pytest.mark.parametrize("code", faults.CODES)
def test_every_code_has_the_words_of_a_real_server(code: int) -> None:
    error = faults.refusal(code, SCALE)
    assert error.code == code
    assert error.status()["details"]["name"] == "web"
    assert ("Retry-After" in error.headers) == (code in (429, 503, 504))


def test_the_words() -> None:
    assert faults.refusal(409, SCALE).message == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert faults.refusal(429, SCALE).message == "Too many requests, please try again later."
    assert faults.refusal(403, SCALE).reason == "Forbidden"


def test_a_fault_as_json_is_read_again() -> None:
    fault = faults.Fault(0, "list", "pods", "shop", 410, 0.5, 3, 0.2)
    assert faults.parse({**faults.shown(fault), "number": 7}) == fault


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"code": 418},
        {"code": "500"},
        {"code": 500, "rate": 0},
        {"code": 500, "rate": 2},
        {"code": 500, "count": 0},
        {"code": 500, "verb": "read"},
        {"delay_s": -1},
        {"code": 500, "when": "now"},
        {"code": 500, "rate": "x"},
    ],
)
def test_what_is_no_fault(body: Any) -> None:
    with pytest.raises(ApiError) as refusal:
        faults.parse(body)
    assert refusal.value.code == 400
