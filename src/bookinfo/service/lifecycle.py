"""
A service's life: listen, serve, and on SIGTERM leave without losing a request.

SIGTERM makes `/readyz` fail at once, while requests are still accepted for a moment (`SHUTDOWN_DELAY_S`), because
callers go on sending until they have heard. Then the listening socket closes, idle connections are closed, requests in
flight get `SHUTDOWN_GRACE_S` to finish, and the process ends with exit code 0. SIGINT skips the first step; a second
signal ends the process without waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import math
import signal
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
import uvloop

from bookinfo.service import connections, logs
from bookinfo.service.application import Service

LOGGER: Final = logging.getLogger("bookinfo.service")

BACKLOG: Final = 1024

IDLE_TIMEOUT_S: Final = 3660
"""
How long an idle connection is kept. Longer than Envoy keeps one (an hour), so that it is always the proxy that closes:
a server that closes first can do so just when a request is on its way.
"""

FIRST_REQUEST_S: Final = 0.25
"""How long a connection that was just accepted when the listening socket closed may take to send its request."""

NO_IPV6: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


class ListenError(OSError):
    """The address cannot be listened on; the text says which and why."""


def run(service: Service, listener: socket.socket | None = None) -> None:
    """
    Serve until a signal says stop, on a socket that listens already or on the one that the settings name.

    Raises:
        ListenError: the address is in use, not allowed or not ours.
    """
    listener = listener or listen(service.settings.host, service.settings.port)
    with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_until_signal(service, listener))


async def _serve_until_signal(service: Service, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    server = Server(service)
    loop.add_signal_handler(signal.SIGTERM, server.stop, service.settings.shutdown_delay_s)
    loop.add_signal_handler(signal.SIGINT, server.stop, 0.0)
    await server.serve(sockets=[listener])


class Server(uvicorn.Server):
    """uvicorn with a stop of our own (a delay before it closes) and, once a second, a look at who is too slow."""

    def __init__(self, service: Service) -> None:
        super().__init__(
            uvicorn.Config(
                service.asgi,
                loop="none",
                http=connections.Connection,
                ws="none",
                interface="asgi3",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=IDLE_TIMEOUT_S,
                timeout_graceful_shutdown=math.ceil(service.settings.shutdown_grace_s),
            )
        )
        self._service = service
        self._stopping = asyncio.Event()

    def stop(self, delay_s: float) -> None:
        """Begin to leave after `delay_s`; a second call leaves at once."""
        if self._service.readiness.is_draining:
            self.force_exit = True
            self._stopping.set()
            return
        self._service.readiness.drain()
        LOGGER.info("stopping", extra={logs.FIELDS: {"delay_s": delay_s}})
        asyncio.get_running_loop().call_later(delay_s, self._stopping.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._service.readiness.start()
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            LOGGER.info("listening", extra={logs.FIELDS: {"address": host, "port": port}})

    async def main_loop(self) -> None:
        while not self._stopping.is_set():
            await self.on_tick(0)  # sets the Date header, which has a resolution of one second
            self._service.limits.cancel_overdue()
            for connection in list(self.server_state.connections):
                if isinstance(connection, connections.Connection):
                    connection.refuse_if_slow()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        clock = asyncio.get_running_loop().time
        deadline = clock() + FIRST_REQUEST_S
        # uvicorn has no event for the first request of a connection
        while self._has_expectant_connection() and clock() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await super().shutdown(sockets)

    def _has_expectant_connection(self) -> bool:
        """Say whether somebody has connected and not sent a request yet; the request may be on its way."""
        return any(
            isinstance(connection, connections.Connection) and connection.cycle is None
            for connection in self.server_state.connections
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `run`."""
        yield


def listen(host: str | None, port: int) -> socket.socket:
    """
    Return a listening TCP socket; without a host, one that takes both IPv4 and IPv6.

    Accepted connections inherit TCP_NODELAY from it, so that no answer waits for the caller's acknowledgement.

    Raises:
        ListenError: with the address and the system's reason.
    """
    try:
        listener = _listen_on(host, port) if host is not None else _listen_on_all(port)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {host or 'any address'}, port {port}: {error.strerror}"
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _listen_on(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server(address, family=family, backlog=BACKLOG)


def _listen_on_all(port: int) -> socket.socket:
    try:
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
    except OSError as error:
        if error.errno not in NO_IPV6:
            raise
        return socket.create_server(("", port), backlog=BACKLOG)
