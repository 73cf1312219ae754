"""The fault dial over HTTP."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import faults
from bookmesh.lab import fault_dial

PATH = "/lab/v1/faults"


async def ask(dial: fault_dial.FaultDial, method: str, query: str = "", body: bytes = b"") -> list[Any]:
    response = await dial.handle(request_for(method, PATH + query, body=body))
    found: list[Any] = orjson.loads(response.body)["faults"]  # type: ignore[arg-type]
    return found


async def test_faults_are_set_shown_and_taken_back() -> None:
    dial = fault_dial.FaultDial(faults.Faults())
    assert await ask(dial, "GET") == []
    await ask(dial, "POST", body=b'{"code": 410}')
    two = await ask(dial, "POST", body=b'{"code": 429, "count": 3}')
    assert [(each["number"], each["code"]) for each in two] == [(1, 410), (2, 429)]
    assert [each["number"] for each in await ask(dial, "DELETE", "?number=1")] == [2]
    assert await ask(dial, "DELETE") == []


@pytest.mark.parametrize(
    ("method", "query", "body", "code"),
    [
        ("POST", "", b"{", 400),
        ("POST", "", b"{}", 400),
        ("DELETE", "?number=9", b"", 404),
        ("DELETE", "?number=x", b"", 404),
        ("PUT", "", b"", 405),
    ],
)
async def test_what_cannot_be_asked(method: str, query: str, body: bytes, code: int) -> None:
    with pytest.raises(ApiError) as refusal:
        await ask(fault_dial.FaultDial(faults.Faults()), method, query, body)
    assert refusal.value.code == code
