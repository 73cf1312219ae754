from __future__ import annotations

import asyncio
import sys

import pytest
from tests.unit.lab.standins import small_servers

from bookmesh.lab.standins import pilot_agent


async def test_it_prints_what_envoy_answers(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na: 1\n"
    refusal = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno"
    async with small_servers.answering_with([answer, refusal], closes=True) as port:
        assert await asyncio.to_thread(pilot_agent.request, ["get", "stats"], port=port) == 0
        assert await asyncio.to_thread(pilot_agent.request, ["GET", "/x"], port=port) == 1
    assert pilot_agent.request(["GET", "stats"], port=port) == 1
    out, err = capfdbinary.readouterr()
    assert out == b"a: 1\n"
    assert b"unexpected status 404: no" in err
    assert b"cannot ask Envoy" in err


@pytest.mark.parametrize("argv", [[], ["proxy", "sidecar"], ["request", "GET"]])
def test_other_commands_are_misuse(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pilot-agent", *argv])
    with pytest.raises(SystemExit) as stopped:
        pilot_agent.main()
    assert stopped.value.code == 2
