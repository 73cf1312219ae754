from __future__ import annotations

import asyncio

import pytest

from bookmesh.lab.standins import tcp_echo


def test_ports_and_prefix_are_read() -> None:
    assert tcp_echo.parse(["9000,9001", "one"]) == ([9000, 9001], "one")


@pytest.mark.parametrize("argv", [[], ["9000"], ["x", "one"], ["99999", "one"], ["1", "a", "b"]])
def test_other_arguments_are_refused(argv: list[str]) -> None:
    with pytest.raises(ValueError, match=r"expected|not a port"):
        tcp_echo.parse(argv)


async def test_each_line_comes_back_behind_the_prefix() -> None:
    server = await asyncio.start_server(lambda r, w: tcp_echo.echo(r, w, "one"), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\nworld")
        writer.write_eof()
        assert await reader.read() == b"one hello\none world"
        writer.close()
        await writer.wait_closed()
