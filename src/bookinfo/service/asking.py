"""
One connection to another service: a request goes out, its answer comes in, then perhaps another request.

The mirror image of `connections`, on the same parser. Only what the services need of each other: GET, no bodies of
requests, no redirects, no decoding.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from time import monotonic
from typing import Final, cast

import httptools

MAX_ANSWER_BYTES: Final = 1024 * 1024
MAX_HEAD_BYTES: Final = 128 * 1024

WITHOUT_BODY: Final = frozenset({204, 304})


class AnswerError(Exception):
    """There is no usable answer; the text says why."""


class NothingReceivedError(AnswerError):
    """The connection ended before a byte of the answer came. A request that changes nothing may be sent again."""


class Answer:
    """What a service answered, whatever the status. Header names are lower-case; of a repeated one the last counts."""

    __slots__ = ("body", "headers", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""

    def header(self, name: str) -> str | None:
        value = self.headers.get(name.encode("ascii"))
        return None if value is None else value.decode("latin-1")


class ClientConnection(asyncio.Protocol):
    """
    A connection that asks one question at a time.

    `on_lost` is called when it ends while nothing is asked. The methods `on_…` below are called by the parser.
    """

    def __init__(self, on_lost: Callable[[ClientConnection], None]) -> None:
        self.used_at = 0.0
        """When the last answer was complete, by `time.monotonic`."""
        self.is_reusable = False
        """Whether another question may be asked."""
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._asked: asyncio.Future[Answer] | None = None
        self._answer = Answer()
        self._parts: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._is_received = False
        self._ends_with_connection = False
        self._transport: asyncio.Transport
        self._loop: asyncio.AbstractEventLoop

    async def ask(self, request: bytes) -> Answer:
        """
        Send a request and wait for its answer. When it is cancelled, the connection is closed.

        Raises:
            NothingReceivedError: the connection has ended without one.
            AnswerError: the answer is too long, broken off, or no HTTP.
        """
        if self._transport.is_closing():
            raise NothingReceivedError("the connection is closed")
        self.is_reusable = self._is_received = False
        self._head_bytes = 0
        self._asked = self._loop.create_future()
        self._transport.write(request)
        try:
            return await self._asked
        finally:
            self._asked = None
            if not self.is_reusable:
                self.close()

    def close(self) -> None:
        """Close at once; whatever was on its way is lost."""
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        if self._asked is None or self._asked.done():
            # Nobody has asked: what comes cannot be an answer.
            self.close()
            return
        self._is_received = True
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(AnswerError("it wants to speak another protocol"))
        except httptools.HttpParserError as error:
            self._fail(error.__context__ if isinstance(error.__context__, AnswerError) else no_http(error))
        else:
            if self._head_bytes > MAX_HEAD_BYTES:
                self._fail(AnswerError(f"its headers have more than {MAX_HEAD_BYTES} bytes"))

    def eof_received(self) -> None:
        if self._ends_with_connection:
            self._complete(is_reusable=False)

    def connection_lost(self, error: Exception | None) -> None:
        del self._parser  # it holds on to this object
        if self._asked is None:
            self._on_lost(self)
        elif not self._is_received:
            self._fail(NothingReceivedError("it closed the connection"))
        else:
            self._fail(AnswerError("it broke off in the middle of the answer"))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._asked is not None and self._asked.done():
            self.is_reusable = (
                False  # an answer to nothing: who knows what the next one would be an answer to
            )
        self._answer = Answer()
        self._parts = []
        self._body_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._head_bytes = -math.inf  # type: ignore[assignment]
        self._answer.status = status = self._parser.get_status_code()
        known = self._answer.headers
        self._ends_with_connection = (
            status >= 200
            and status not in WITHOUT_BODY
            and b"content-length" not in known
            and b"transfer-encoding" not in known
        )

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)
        self._body_bytes += len(part)
        if self._body_bytes > MAX_ANSWER_BYTES:
            raise AnswerError(f"it answered with more than {MAX_ANSWER_BYTES} bytes")

    def on_message_complete(self) -> None:
        if self._answer.status >= 200:  # before that it is no answer yet, but news of one
            self._complete(is_reusable=self._parser.should_keep_alive())

    def _complete(self, *, is_reusable: bool) -> None:
        answer = self._answer
        answer.body = b"".join(self._parts)
        self.is_reusable = is_reusable
        self.used_at = monotonic()
        self._ends_with_connection = False
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(answer)

    def _fail(self, error: AnswerError) -> None:
        self.is_reusable = False
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(error)


def no_http(error: Exception) -> AnswerError:
    return AnswerError(f"its answer is not HTTP: {error}")
