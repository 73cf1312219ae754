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
import signal
import socket
from typing import Final

import uvloop

from bookinfo.service import connections, heads, logs
from bookinfo.service.application import Service

LOGGER: Final = logging.getLogger("bookinfo.service")

BACKLOG: Final = 1024

TICK_S: Final = 1.0
"""How often the server looks at its connections and its clock."""

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
    try:
        with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve_until_signal(service, listener))
    finally:
        logs.OUTPUT.flush()


async def _serve_until_signal(service: Service, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    server = Server(service)
    loop.add_signal_handler(signal.SIGTERM, server.stop, service.settings.shutdown_delay_s)
    loop.add_signal_handler(signal.SIGINT, server.stop, 0.0)
    await server.serve(listener)


class Server:
    """Serves one service, once."""

    def __init__(self, service: Service) -> None:
        self.connections: set[connections.Connection] = set()
        """Those that are open."""
        self._service = service
        self._heads = heads.Heads(service.settings)
        self._stopping = asyncio.Event()
        self._leaving = asyncio.Event()

    async def serve(self, listener: socket.socket) -> None:
        """Serve on a listening socket until `stop` is called and all is done."""
        async with self._service.lifespan():
            accepting = await asyncio.get_running_loop().create_server(
                lambda: connections.Connection(self._service, self._heads, self.connections),
                sock=listener,
                backlog=BACKLOG,
            )
            self._service.readiness.start()
            host, port = listener.getsockname()[:2]
            LOGGER.info("listening", extra={logs.FIELDS: {"address": host, "port": port}})
            ticking = asyncio.create_task(self._tick())
            try:
                await self._stopping.wait()
                accepting.close()
                await self._finish()
            finally:
                ticking.cancel()
                accepting.close()
                await self._end_all()

    def stop(self, delay_s: float) -> None:
        """Begin to leave after `delay_s`; a second call leaves at once."""
        if self._service.readiness.is_draining:
            self._leaving.set()
            self._stopping.set()
            return
        self._service.readiness.drain()
        LOGGER.info("stopping", extra={logs.FIELDS: {"delay_s": delay_s}})
        asyncio.get_running_loop().call_later(delay_s, self._stopping.set)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._heads.refresh()
            for connection in list(self.connections):
                connection.check_time()

    async def _finish(self) -> None:
        """Let go of the connections that nothing is expected of, and wait for the others."""
        for connection in list(self.connections):
            if not connection.is_new():
                connection.close_if_idle()
        await self._emptied(FIRST_REQUEST_S)
        for connection in list(self.connections):
            connection.close_if_idle()
        await self._emptied(self._service.settings.shutdown_grace_s)

    async def _emptied(self, limit_s: float) -> None:
        """Wait until no connection is open, nobody wants to wait any longer, or `limit_s` is over."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + limit_s
        while self.connections and not self._leaving.is_set() and clock() < deadline:
            # Looked at now and then: an event for it would have to be kept for the whole life of the process.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 0.005)

    async def _end_all(self) -> None:
        """Abort what is left, and let its requests see that they are cancelled."""
        tasks = [connection.abort() for connection in list(self.connections)]
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


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
