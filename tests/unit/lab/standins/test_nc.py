from __future__ import annotations

import asyncio
import io

import pytest

from bookmesh.lab.standins import nc, tcp_echo


async def test_what_is_given_is_sent_and_what_comes_back_is_printed() -> None:
    server = await asyncio.start_server(lambda r, w: tcp_echo.echo(r, w, "one"), "127.0.0.1", 0)
    received = io.BytesIO()
    async with server:
        port = str(server.sockets[0].getsockname()[1])
        code = await asyncio.to_thread(nc.talk, ["127.0.0.1", port], io.BytesIO(b"a\nb\n"), received)
    assert (code, received.getvalue()) == (0, b"one a\none b\n")
    assert nc.talk(["127.0.0.1", port], io.BytesIO(), received) == 1


@pytest.mark.parametrize("arguments", [[], ["-l", "80"], ["a", "b"], ["a", "1", "2"]])
def test_other_arguments_are_misuse(arguments: list[str]) -> None:
    assert nc.talk(arguments, io.BytesIO(), io.BytesIO()) == 2
