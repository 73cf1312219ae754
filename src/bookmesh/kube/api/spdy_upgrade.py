"""
The upgrade of a request to SPDY/3.1, as Go programs ask for it: after the answer 101 the connection is SPDY's.

The version of the protocol that the streams then speak is agreed on in a header of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import statuses

_NAME: Final = "SPDY/3.1"
_VERSION: Final = "X-Stream-Protocol-Version"
_ACCEPTED: Final = "X-Accepted-Stream-Protocol-Versions"
# What was received and not yet taken; the client waits when there is more.
_WAITING: Final = 1 << 20


class Connection(web.StreamResponse):
    """
    The bytes of the connection after the upgrade: iterate over what arrives, `write` what is to be sent.

    `protocol` is the version that was agreed on.
    """

    _length_check = False  # there is no body, and no chunks of one

    def __init__(self, request: web.Request, protocol: str) -> None:
        headers = {"Connection": "Upgrade", "Upgrade": _NAME, _VERSION: protocol}
        super().__init__(status=101, headers=headers)
        self.force_close()
        self.protocol = protocol
        self._request = request
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._is_paused = False
        self._ended = False
        self._changed = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what arrives, for one consumer, until the client hangs up."""
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._size -= len(chunk)
                if self._is_paused and self._size < _WAITING:
                    self._is_paused = False
                    self._request.protocol.resume_reading(resume_parser=False)
                yield chunk
            if self._ended:
                return
            self._changed.clear()
            await self._changed.wait()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what arrived; called by the HTTP server, in whose terms the answer means: go on."""
        self._chunks.append(bytes(data))
        self._size += len(data)
        if self._size >= _WAITING and not self._is_paused:
            self._is_paused = True
            self._request.protocol.pause_reading()
        self._changed.set()
        return False, b""

    def feed_eof(self) -> None:
        """Take note that the client hung up; called by the HTTP server."""
        self._ended = True
        self._changed.set()


def is_wanted(request: web.Request) -> bool:
    """Whether the client asks for SPDY rather than for WebSocket."""
    return request.headers.get("Upgrade", "").lower() == _NAME.lower()


async def accept(request: web.Request, protocols: Sequence[str]) -> Connection:
    """
    Upgrade to SPDY with the first protocol of the client that is one of `protocols`; the last of them is the
    client's that names none.

    Raises:
        ApiError: 400, the handshake is not complete; 403, no protocol is shared.
    """
    if "upgrade" not in request.headers.get("Connection", "").lower():
        raise statuses.bad_request("the SPDY handshake is not complete: Connection does not say Upgrade")
    connection = Connection(request, choose(request.headers.getall(_VERSION, []), protocols))
    # The parser of the HTTP server does not know of SPDY; the client sends nothing before it has read the answer.
    request.protocol._upgraded = True
    request.protocol.set_parser(connection)  # type: ignore[arg-type]  # any object that is fed
    await connection.prepare(request)
    return connection


def choose(offered: Sequence[str], protocols: Sequence[str]) -> str:
    """The first offer that is spoken here; raises 403 when there is none."""
    names = [name.strip() for line in offered for name in line.split(",") if name.strip()]
    if not names:
        return protocols[-1]
    for name in names:
        if name in protocols:
            return name
    text = f"unable to negotiate protocol: client supports {names}, server accepts {list(protocols)}"
    raise ApiError(403, "Forbidden", text, headers={_ACCEPTED: ", ".join(protocols)})
