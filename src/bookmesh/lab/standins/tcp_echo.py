"""
A stand-in for `istio/tcp-echo-server`: it answers each line with the same line behind a prefix.

    tcp-echo 9000,9001,9002 one        # "world" comes back as "one world"

A last piece without a line's end is answered too, when the client has sent all it has.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from typing import Final

from bookmesh.lab.standins import serving

USAGE: Final = "usage: tcp-echo PORT[,PORT...] PREFIX\n"
LONGEST_LINE_BYTES: Final = 1024 * 1024


def main() -> None:
    """
    Serve until SIGTERM.

    Raises:
        SystemExit: 2 for wrong arguments, 1 when a port cannot be listened on.
    """
    try:
        ports, prefix = parse(sys.argv[1:])
    except ValueError as error:
        sys.stderr.write(f"tcp-echo: {error}\n{USAGE}")
        raise SystemExit(2) from error
    try:
        asyncio.run(_run(ports, prefix))
    except OSError as error:
        sys.stderr.write(f"tcp-echo: cannot listen on {ports}: {error.strerror}\n")
        raise SystemExit(1) from error


def parse(argv: Sequence[str]) -> tuple[list[int], str]:
    """
    Take ports and prefix from the command line.

    Raises:
        ValueError: they are not as `USAGE` says.
    """
    if len(argv) != 2:
        raise ValueError("expected ports and a prefix")
    ports = argv[0].split(",")
    for port in ports:
        if not (port.isascii() and port.isdigit() and int(port) <= 65535):
            raise ValueError(f"{port!r} is not a port")
    return [int(port) for port in ports], argv[1]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, prefix: str) -> None:
    """Answer one client until it has sent all; a client that breaks off is no error."""
    with contextlib.suppress(ConnectionError, ValueError):
        while line := await reader.readline():
            writer.write(f"{prefix} ".encode() + line)
            await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def _run(ports: Sequence[int], prefix: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    servers = [
        await asyncio.start_server(
            lambda reader, writer: echo(reader, writer, prefix),
            sock=serving.listen(port),
            limit=LONGEST_LINE_BYTES,
        )
        for port in ports
    ]
    sys.stdout.write("".join(f"listening on port {port}, prefix: {prefix}\n" for port in ports))
    sys.stdout.flush()
    await stopping.wait()
    for server in servers:
        server.close()
