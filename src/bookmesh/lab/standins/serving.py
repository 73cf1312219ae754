"""How a stand-in is served: port from argument or environment, IPv4 and IPv6, an orderly stop on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import uvicorn
import uvloop
from starlette.types import ASGIApp

NO_IPV6: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})

IDLE_TIMEOUT_S: Final = 3660
"""Longer than Envoy keeps an idle connection (an hour), so that the proxy is always the one to close it."""

GRACE_S: Final = 20


def parse_port(argv: Sequence[str], variables: Mapping[str, str], *, program: str, default: int) -> int:
    """
    Return the port to listen on: `--port`, else `$PORT`, else the default.

    Raises:
        SystemExit: 2, with the reason on stderr.
    """
    parser = argparse.ArgumentParser(prog=program)
    parser.add_argument("--port", help=f"port to listen on (default: $PORT, or {default})")
    given = parser.parse_args(argv).port
    source, text = (
        ("--port", given) if given is not None else ("environment variable PORT", variables.get("PORT"))
    )
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        parser.error(f"{source} is {text!r}, expected a port number between 0 and 65535")
    return int(text)


def listen(port: int) -> socket.socket:
    """Return a socket that takes IPv4 and IPv6, or IPv4 alone where the system has no IPv6. Raises OSError."""
    try:
        listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
    except OSError as error:
        if error.errno not in NO_IPV6:
            raise
        listener = socket.create_server(("", port), backlog=1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections inherit it
    return listener


def run(app: ASGIApp, *, program: str, default_port: int) -> None:
    """
    Serve until SIGTERM or SIGINT, then let requests in flight finish.

    Raises:
        SystemExit: 2 for a wrong port, 1 when it cannot be listened on.
    """
    port = parse_port(sys.argv[1:], os.environ, program=program, default=default_port)
    try:
        listener = listen(port)
    except OSError as error:
        sys.stderr.write(f"{program}: cannot listen on port {port}: {error.strerror}\n")
        raise SystemExit(1) from error
    with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app, listener, program))


async def _serve(app: ASGIApp, listener: socket.socket, program: str) -> None:
    server = Server(app)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stopping.set)
    sys.stdout.write(f"{program} listening on port {listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve(sockets=[listener])


class Server(uvicorn.Server):
    """uvicorn that is stopped by an event instead of polling, and leaves signals to its caller."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http="httptools",
                ws="none",
                interface="asgi3",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=IDLE_TIMEOUT_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        while not self.stopping.is_set():
            await self.on_tick(0)  # sets the Date header, which has a resolution of one second
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), timeout=1.0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
