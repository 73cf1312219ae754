"""
The simulated Internet for programs of the host: an HTTP proxy on loopback.

A program that honours `https_proxy` says `CONNECT host:443`, and gets a connection to the host as a pod would; plain
HTTP comes with a whole URL, and leads to one request on a connection of its own. Names are looked up here, so that none
of them is asked of the host's own resolver. Nothing inside the cluster is reached this way.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
import socket
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, cast

_log = logging.getLogger(__name__)

Connect = Callable[[str, int], Awaitable[socket.socket]]
"""Connect to a port of a host, by name or address; OSError when nothing answers there."""

_END_OF_HEAD: Final = b"\r\n\r\n"
_MOST_HEAD_BYTES: Final = 65_536
_HEAD_WITHIN_S: Final = 10.0
_CHUNK_BYTES: Final = 65_536
# They are about the connection to the proxy, of which there is no more.
_OF_THE_PROXY: Final = (b"proxy-connection:", b"proxy-authorization:", b"connection:", b"keep-alive:")


class BadRequestError(ValueError):
    """What came is no request to a proxy."""


@dataclass(frozen=True, slots=True)
class Request:
    """Where a client wants to go, and what the server is told first: nothing after CONNECT."""

    host: str
    port: int
    is_tunnel: bool
    first: bytes = b""


def parse(head: bytes) -> Request:
    """
    Read the head of a request, blank line included.

    Raises:
        BadRequestError: it is none to a proxy.
    """
    line, *fields = head.removesuffix(_END_OF_HEAD).split(b"\r\n")
    try:
        method, target, version = line.decode("ascii").split(" ")
        is_tunnel = method == "CONNECT"
        url = urllib.parse.urlsplit(f"//{target}" if is_tunnel else target)
        port = url.port
    except ValueError as error:
        raise BadRequestError("the request line cannot be read") from error
    if is_tunnel and url.hostname and port:
        return Request(url.hostname, port, is_tunnel=True)
    if is_tunnel or url.scheme != "http" or not url.hostname:
        raise BadRequestError("this is a proxy: it takes CONNECT host:port, or a whole http:// URL")
    path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
    kept = [field for field in fields if not field.lower().startswith(_OF_THE_PROXY)]
    first = [f"{method} {path} {version}".encode("ascii"), *kept, b"Connection: close"]
    return Request(url.hostname, port or 80, is_tunnel=False, first=b"\r\n".join(first) + _END_OF_HEAD)


class Proxy:
    """Run it with `run`; `connect` makes the connections."""

    def __init__(self, listener: socket.socket, connect: Connect) -> None:
        self._listener = listener
        self._connect = connect
        self._open: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        """Listen no more; for one that never ran."""
        self._listener.close()

    async def run(self) -> NoReturn:
        """Serve until cancelled; then connections end."""
        server = await asyncio.start_server(self._accept, sock=self._listener, limit=_MOST_HEAD_BYTES)
        try:
            await server.serve_forever()
        finally:
            server.close()
            for task in self._open:
                task.cancel()
        raise AssertionError("a server that serves forever has ended")

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            _log.debug("a connection to the proxy broke: %s", error)
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_WITHIN_S):
                request = parse(await reader.readuntil(_END_OF_HEAD))
        except (BadRequestError, asyncio.LimitOverrunError) as error:
            await _refuse(writer, http.HTTPStatus.BAD_REQUEST, str(error))
            return
        try:
            made = await self._connect(request.host, request.port)
        except OSError as error:
            await _refuse(writer, http.HTTPStatus.BAD_GATEWAY, f"{request.host}:{request.port}: {error}")
            return
        upstream, onward = await asyncio.open_connection(sock=made)
        with contextlib.closing(onward):
            if request.is_tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            onward.write(request.first)
            await _first_failure(_pump(reader, onward), _pump(upstream, writer))


async def _refuse(writer: asyncio.StreamWriter, status: http.HTTPStatus, why: str) -> None:
    text = f"bookmesh: {why}\n".encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode("ascii") + text)
    await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until their end, and then the end."""
    while data := await reader.read(_CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _first_failure(*directions: Awaitable[None]) -> None:
    """Wait for both directions; when one breaks the other ends with it."""
    tasks = [asyncio.ensure_future(one) for one in directions]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def listen(*, preferred_port: int = 0) -> socket.socket:
    """Listen on loopback: on the port of last time, if it is still free."""
    try:
        return socket.create_server(("127.0.0.1", preferred_port))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


def variables(port: int, bundle: str) -> dict[str, str]:
    """What tells programs of the proxy and of the certificates to trust; loopback stays as it is."""
    proxy = f"http://127.0.0.1:{port}"
    around: Sequence[str] = ("localhost", "127.0.0.1", "127.0.0.0/8")
    return {
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), proxy),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(around)),
        **dict.fromkeys(("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"), bundle),
    }
