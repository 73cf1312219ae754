"""A small HTTP/1.1 client that keeps what the server said as it was said; for tools that show or count it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])")
_NO_BODY: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Reply:
    """`head` is the status line and the headers with the empty line at their end, as received."""

    status: int
    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """What to call. `payload` None means GET, anything else is sent with POST."""

    host: str
    port: int
    path: str
    authority: str
    is_tls: bool
    headers: tuple[str, ...] = ()
    payload: bytes | None = None

    def request(self) -> bytes:
        names = {header.partition(":")[0].strip().lower() for header in self.headers}
        lines = [f"{'GET' if self.payload is None else 'POST'} {self.path} HTTP/1.1"]
        if "host" not in names:
            lines.append(f"Host: {self.authority}")
        if "user-agent" not in names:
            lines.append("User-Agent: fortio.org/fortio-bookmesh")
        lines += self.headers
        if self.payload is not None:
            lines.append(f"Content-Length: {len(self.payload)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (self.payload or b"")


def parse_target(url: str, headers: Sequence[str] = (), payload: bytes | None = None) -> Target:
    """
    Take a URL apart; without a scheme it is http.

    Raises:
        ValueError: it is no http or https URL.
    """
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no http or https URL")
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        host=parts.hostname,
        port=parts.port or (443 if is_tls else 80),
        path=path,
        authority=parts.netloc.rpartition("@")[2],
        is_tls=is_tls,
        headers=tuple(headers),
        payload=payload,
    )


class Connection:
    """One connection at a time to one target; opened when needed, kept while the server keeps it."""

    def __init__(self, target: Target, *, tls: ssl.SSLContext | None = None) -> None:
        self.opened = 0
        self._target = target
        self._tls = (tls or ssl.create_default_context()) if target.is_tls else None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self) -> Reply:
        """
        Make one request.

        Raises:
            OSError: there is no connection, or it broke. ValueError: the answer is not HTTP/1.1.
        """
        try:
            reader, writer = await self._open()
            writer.write(self._target.request())
            await writer.drain()
            reply, is_kept = await _read_reply(reader)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            await self.close()
            raise ConnectionError("the connection ended within the answer") from error
        except (OSError, ValueError):
            await self.close()
            raise
        if not is_kept:
            await self.close()
        return reply

    async def close(self) -> None:
        """Close what is open; the next call opens another one."""
        if self._streams is not None:
            (_, writer), self._streams = self._streams, None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._target.host, self._target.port, ssl=self._tls)
            self.opened += 1
        return self._streams


async def _read_reply(reader: asyncio.StreamReader) -> tuple[Reply, bool]:
    """Returns the reply, and whether the connection can be used again."""
    head = await reader.readuntil(b"\r\n\r\n")
    match = _STATUS.match(head)
    if match is None:
        raise ValueError("the answer is not HTTP/1.1")
    status = int(match[1])
    headers = {
        name.strip().lower(): value.strip().lower()
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    is_kept = headers.get(b"connection") != b"close"
    if status in _NO_BODY:
        body = b""
    elif headers.get(b"transfer-encoding") == b"chunked":
        body = await _read_chunks(reader)
    elif b"content-length" in headers:
        body = await reader.readexactly(int(headers[b"content-length"]))
    else:
        body, is_kept = await reader.read(), False
    return Reply(status, head, body), is_kept


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readuntil(b"\r\n")
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return body
