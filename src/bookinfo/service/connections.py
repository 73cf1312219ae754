"""
One connection: uvicorn's, with bounds on the head of a request (its first line and headers).

uvicorn waits for a head as long as the client likes and keeps what has come so far, which lets a few slow clients hold
a server's memory and file descriptors. Here a head has to be complete in `HEAD_TIMEOUT_S`, and may take
`MAX_HEAD_BYTES` on the wire. Time is not watched by a timer a request, which would cost more than the parsing:
`Server` looks at all connections once a second and calls `refuse_if_slow`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bookinfo.service import limits, logs

LOGGER: Final = logging.getLogger("bookinfo.service")

HEAD_TIMEOUT_S: Final = 10.0
"""From the connection, or on a used one from the first byte, to the end of the headers; with a second's tolerance."""

MAX_HEAD_BYTES: Final = 2 * (limits.MAX_HEADER_BYTES + limits.MAX_TARGET_BYTES)
"""
On the wire, with separators. `limits` counts exactly and answers with a better reason once a head is complete; this one
is for a head that never is.
"""

NEVER: Final = math.inf

LINGER_S: Final = 2.0
"""How long to read on after a refusal: closing with unread input would make the client lose the answer."""


class Connection(HttpToolsProtocol):
    """A client's connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._deadline = NEVER
        """Infinite while no head is awaited."""
        self._head_bytes = 0
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = monotonic() + HEAD_TIMEOUT_S

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._deadline = monotonic() + HEAD_TIMEOUT_S
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._deadline = NEVER
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        super().data_received(data)
        if self._deadline != NEVER:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"the headers are longer than {limits.MAX_HEADER_BYTES} bytes")

    def refuse_if_slow(self) -> None:
        """Answer 408 and close when the head is overdue; without an answer if nothing was asked."""
        if monotonic() < self._deadline:
            return
        if self._is_refused or not self._head_bytes:
            self._deadline = NEVER
            self.transport.abort()
        else:
            self._refuse(408, f"the headers took longer than {HEAD_TIMEOUT_S:g} s")

    def _refuse(self, status: int, reason: str) -> None:
        if self.transport.is_closing():
            return
        LOGGER.warning("request head refused", extra={logs.FIELDS: {"status": status, "reason": reason}})
        body = msgspec.json.encode({"error": reason})
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.write_eof()
        self._is_refused = True
        self._deadline = monotonic() + LINGER_S
