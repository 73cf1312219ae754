"""
One connection of a client: requests come in, answers go out in the same order.

Requests are served one after the other. One that is answered at once costs no task. While one takes time, or the client
does not take what was written, those that came behind it wait, and nothing more is read: so a client can make this
process hold little more than one read of the socket.

A client that is refused, or that is told to go while more of its input is on the way, gets the answer, an end of the
stream, and `LINGER_S` to stop sending. To close at once would make its system drop the answer it has not read yet.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Coroutine
from time import monotonic
from typing import Any, Final, cast

from bookinfo.service import answers, heads, limits, logs, reading
from bookinfo.service.answers import Response
from bookinfo.service.application import Service
from bookinfo.service.requests import Address, Request

LOGGER: Final = logging.getLogger("bookinfo.service")

LINGER_S: Final = 2.0

NEVER: Final = math.inf


class Connection(asyncio.Protocol):
    """A client's connection, in the set `open_connections` as long as it is open."""

    def __init__(self, service: Service, prepared: heads.Heads, open_connections: set[Connection]) -> None:
        self._service = service
        self._heads = prepared
        self._open = open_connections
        self._waiting: deque[Request] = deque()
        """Complete requests behind the one that is served."""
        self._request: Request | None = None
        """The one that is served by `_task`."""
        self._task: asyncio.Task[None] | None = None
        self._deadline = NEVER
        """For the client to take what was written, or while lingering to close."""
        self._is_write_paused = False
        self._is_read_paused = False
        self._is_ending = False
        """Whether the last answer was written, or none is wanted any more."""
        self._transport: asyncio.Transport
        self._reader: reading.RequestReader
        self._loop: asyncio.AbstractEventLoop

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        client, server = (address(transport.get_extra_info(name)) for name in ("peername", "sockname"))
        self._reader = reading.RequestReader(client, server)
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        if self._is_ending:
            return
        reader = self._reader
        for request in reader.feed(data):
            if self._is_ending:
                return
            if self._request is not None or self._is_write_paused or self._waiting:
                self._waiting.append(request)
            else:
                self._serve(request)
        if self._waiting:
            self._pause_reading()
        elif reader.refusal is not None or reader.awaits_go_ahead:
            self._go_on()

    def pause_writing(self) -> None:
        self._is_write_paused = True
        self._deadline = monotonic() + limits.WRITE_TIMEOUT_S

    def resume_writing(self) -> None:
        self._is_write_paused = False
        if not self._is_ending:
            self._deadline = NEVER
            self._go_on()

    def eof_received(self) -> None:
        """Have the transport close: who sends no more does not wait for an answer, as far as one can tell."""
        self._is_ending = True

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)
        self._is_ending = True
        self._waiting.clear()
        self._reader.close()
        if self._task is not None:
            # A task that was made in this turn of the loop has to begin first, or it would never see its end.
            self._loop.call_soon(self._task.cancel)

    # What the server calls.

    def check_time(self) -> None:
        """End what takes too long; called once a second."""
        now = monotonic()
        if now > self._deadline:
            self.abort()
        elif self._request is not None:
            if now > self._request.began + limits.REQUEST_TIMEOUT_S and not self._request.is_overdue:
                self._request.is_overdue = True
                assert self._task is not None  # what serves the request  # noqa: S101
                self._task.cancel()
        elif now > self._reader.deadline and not self._is_ending and not self._is_write_paused:
            if self._reader.stage in {reading.NEW, reading.BETWEEN}:
                self._close()
            else:
                self._reader.time_out()
                self._go_on()

    def is_idle(self) -> bool:
        """Whether nothing was asked that is not answered."""
        return not self._is_busy() and self._reader.stage in {reading.NEW, reading.BETWEEN}

    def is_new(self) -> bool:
        """Whether nothing was ever received; a request may be on its way."""
        return self._reader.stage is reading.NEW

    def close_if_idle(self) -> None:
        if self.is_idle() and not self._is_ending:
            self._close()

    def abort(self) -> asyncio.Task[None] | None:
        """Close without an answer; return the task of the request that is served, if any: it is going to end."""
        self._is_ending = True
        self._transport.abort()
        return self._task

    # Serving.

    def _is_busy(self) -> bool:
        return self._request is not None or self._is_write_paused or bool(self._waiting)

    def _serve(self, request: Request) -> None:
        outcome = self._service.answer(request)
        if isinstance(outcome, Response):
            self._send(request, outcome)
        else:
            self._request = request
            self._task = self._loop.create_task(self._serve_slowly(request, outcome))

    async def _serve_slowly(self, request: Request, outcome: Coroutine[Any, Any, Response]) -> None:
        response = await outcome
        self._request = self._task = None
        if not self._is_ending:
            self._send(request, response)
            self._go_on()

    def _go_on(self) -> None:
        """Do what had to wait, as far as it can be done now."""
        while self._waiting and self._request is None and not self._is_write_paused and not self._is_ending:
            self._serve(self._waiting.popleft())
        if self._is_ending or self._is_busy():
            return
        if self._reader.refusal is not None:
            self._refuse(self._reader.refusal)
        elif self._reader.awaits_go_ahead:
            self._reader.awaits_go_ahead = False
            self._transport.write(heads.GO_AHEAD)
        if self._is_read_paused:
            self._is_read_paused = False
            self._transport.resume_reading()

    def _send(self, request: Request, response: Response) -> None:
        is_last = not request.is_kept_alive or self._service.readiness.is_draining
        head = self._heads.encode(response, is_last=is_last)
        self._transport.write(head if request.method == "HEAD" else head + response.body)
        if is_last:
            self._end()

    def _refuse(self, refusal: reading.Refusal) -> None:
        error = refusal.error
        if refusal.request is not None:
            response = self._service.refuse(refusal.request, error)
        else:
            logs.TRACE_ID.set(None)
            response = answers.error(error.reason, error.status)
        fields = {"status": error.status, "reason": error.reason}
        LOGGER.warning("request refused", extra={logs.FIELDS: fields})
        self._transport.write(self._heads.encode(response, is_last=True) + response.body)
        self._end()

    def _end(self) -> None:
        """Close when the client has what was written; see to it that it can read it."""
        has_more_input = self._reader.is_over or self._reader.stage is not reading.BETWEEN or self._waiting
        self._is_ending = True
        self._waiting.clear()
        if not has_more_input:
            self._close()
            return
        if not self._is_write_paused:
            self._deadline = monotonic() + LINGER_S
        self._transport.write_eof()
        if self._is_read_paused:
            self._is_read_paused = False
            self._transport.resume_reading()

    def _close(self) -> None:
        """Close when what was written has been taken, or in time."""
        self._is_ending = True
        self._deadline = monotonic() + limits.WRITE_TIMEOUT_S
        self._transport.close()

    def _pause_reading(self) -> None:
        if not self._is_read_paused:
            self._is_read_paused = True
            self._transport.pause_reading()


def address(name: Any) -> Address | None:
    """Return host and port of a socket's name; None where it has another form."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) and len(name) >= 2 else None
