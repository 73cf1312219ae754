"""
Upper bounds for what a client may send (target, headers, body, the time a body may take) and for how long it is served.

Bookinfo's requests are tiny, so the bounds are too. Whoever exceeds one gets 414, 431, 413 or 408 and the request
does not reach a handler (or fails in it, for a body whose length was not announced). A handler that has not finished
after `REQUEST_TIMEOUT_S` is cancelled and the answer is 503; handlers have shorter limits of their own, so this one is
the net below them. The time that headers take is bounded in `connections`.
"""

from __future__ import annotations

import asyncio
import weakref
from time import monotonic
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookinfo.service import answers

MAX_TARGET_BYTES: Final = 8 * 1024
MAX_HEADER_BYTES: Final = 60 * 1024
"""Envoy's own limit: what a sidecar lets through is served."""
MAX_HEADERS: Final = 200
"""Lines. Envoy takes 100 from a client and adds some of its own."""
MAX_BODY_BYTES: Final = 64 * 1024
BODY_TIMEOUT_S: Final = 10.0
REQUEST_TIMEOUT_S: Final = 30.0


class OvertimeError(Exception):
    """A handler took longer than `REQUEST_TIMEOUT_S` and was cancelled."""


class Limits:
    """ASGI wrapper that refuses requests beyond the bounds; raises OvertimeError for one that it had to cancel."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running: dict[asyncio.Task[object], float] = {}
        """When each request began: the oldest first."""
        self._overdue: weakref.WeakSet[asyncio.Task[object]] = weakref.WeakSet()
        """Those cancelled for it."""

    def cancel_overdue(self) -> None:
        """
        End the requests that take too long; `Server` calls it once a second.

        A timer for each request would cost as much as serving one.
        """
        limit = monotonic() - REQUEST_TIMEOUT_S
        for task, began in self._running.items():
            if began > limit:
                break
            if task not in self._overdue:
                self._overdue.add(task)
                task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal, has_body = check_head(scope)
        if refusal is not None:
            response = answers.error(refusal.detail, refusal.status_code)
            response.headers["connection"] = "close"
            await response(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None  # an ASGI server runs each request in a task  # noqa: S101
        self._running[task] = monotonic()
        try:
            await self._app(scope, BoundedBody(receive).receive if has_body else receive, send)
        except asyncio.CancelledError:
            if task not in self._overdue:
                raise
            self._overdue.discard(task)
            task.uncancel()
            raise OvertimeError from None
        finally:
            del self._running[task]


def check_head(scope: Scope) -> tuple[HTTPException | None, bool]:
    """Return why a request is refused by its first line and headers (or None), and whether a body follows."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
        return HTTPException(414, f"the request target is longer than {MAX_TARGET_BYTES} bytes"), False
    total = 0
    has_body = False
    for name, value in scope["headers"]:
        total += len(name) + len(value)
        if name == b"content-length":
            # httptools has refused anything but digits already.
            if int(value) > MAX_BODY_BYTES:
                return HTTPException(413, f"the body is longer than {MAX_BODY_BYTES} bytes"), True
            has_body = has_body or int(value) > 0
        elif name == b"transfer-encoding":
            has_body = True
    if total > MAX_HEADER_BYTES:
        return HTTPException(431, f"the headers are longer than {MAX_HEADER_BYTES} bytes"), has_body
    if len(scope["headers"]) > MAX_HEADERS:
        return HTTPException(431, f"there are more than {MAX_HEADERS} headers"), has_body
    return None, has_body


class BoundedBody:
    """Passes on the parts of one body until it is too long or too slow, then raises the HTTP error to answer with."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._received_bytes = 0
        self._deadline = asyncio.get_running_loop().time() + BODY_TIMEOUT_S
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:  # what follows is the end of the connection, which may come at any time
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, f"the body took longer than {BODY_TIMEOUT_S:g} s") from None
        self._received_bytes += len(message.get("body", b""))
        if self._received_bytes > MAX_BODY_BYTES:
            raise HTTPException(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
        self._complete = not message.get("more_body", False)
        return message
