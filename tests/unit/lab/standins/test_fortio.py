from __future__ import annotations

import asyncio
import sys

import pytest
from tests.unit.lab.standins import small_servers, test_loading

from bookmesh.lab.standins import calling, fortio


def test_flags_are_taken_as_go_takes_them() -> None:
    parsed = fortio.parse(["load", "-c", "3", "--n=30", "-quiet", "-H", "a: b", "-H", "c: d", "http://x"])
    assert (parsed.command, parsed.values["c"], parsed.values["n"]) == ("load", "3", "30")
    assert parsed.headers == ["a: b", "c: d"]
    assert parsed.rest == ["http://x"]
    assert parsed.is_quiet
    assert not fortio.parse(["load", "-loglevel", "Warning", "x"]).is_quiet


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "expected one of curl, load, server"),
        (["report"], "not report"),
        (["load", "-bogus", "x"], "flag provided but not defined: -bogus; known: -H"),
        (["load", "-n"], "flag needs an argument: -n"),
        (["load", "-loglevel", "loud", "x"], "-loglevel must be one of"),
        (["load"], "expected one URL, not 0"),
        (["curl", "ftp://x"], "no http or https URL"),
        (["load", "-n", "many", "x"], 'invalid value "many" for flag -n'),
        (["load", "-t", "soon", "x"], 'invalid value "soon" for flag -t'),
    ],
)
def test_wrong_use_says_how(
    argv: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fortio", *argv])
    with pytest.raises(SystemExit) as stopped:
        fortio.main()
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


async def test_curl_prints_status_line_headers_and_body(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    async with small_servers.answering_with([test_loading.OK, test_loading.BUSY]) as port:
        target = calling.parse_target(f"http://127.0.0.1:{port}/")
        assert await fortio._curl(target, None) == 0
        assert await fortio._curl(target, None) == 1
    assert await fortio._curl(target, None) == 1
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Error status 503" in err


async def test_load_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    async with small_servers.answering_with([test_loading.OK]) as port:
        url = f"http://127.0.0.1:{port}/"
        arguments = fortio.parse(
            ["load", "-c", "2", "-qps", "0", "-n", "10", "-loglevel", "Warning", "-k", url]
        )
        await fortio._load(calling.parse_target(url), arguments)
    out, err = capsys.readouterr()
    assert "Starting at max qps with 2 thread(s) for exactly 10 calls" in out
    assert "Code 200 : 10 (100.0 %)" in out
    assert "Log level is now 3 Warning (was 2 Info)" in err


async def test_the_server_echoes_as_asked() -> None:
    async with small_servers.client_of(fortio.create()) as client:
        assert await (await client.post("/echo", data=b"abc")).read() == b"abc"
        assert (await client.get("/any?status=418&delay=1ms")).status == 418
        assert (await client.get("/?status=99")).status == 400
        assert "X-Test: 1" in await (await client.get("/debug", headers={"x-test": "1"})).text()


def test_each_run_has_a_loop_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(asyncio, "run", lambda coroutine: (coroutine.close(), ran.append(1), 0)[-1])
    assert fortio._run(fortio.parse(["curl", "http://x"])) == 0
    assert fortio._run(fortio.parse(["load", "-curl", "http://x"])) == 0
    assert ran == [1, 1]
