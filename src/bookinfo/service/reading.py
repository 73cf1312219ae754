"""
From the bytes of one connection to its requests. No I/O is done here.

httptools (the parser of Node, llhttp, in its strict mode) cuts the bytes; what is added is the limits and a body in one
piece. When the input cannot be understood or goes beyond a limit, `refusal` is set and the rest is not read.
"""

from __future__ import annotations

import enum
from time import monotonic
from typing import Final
from urllib.parse import unquote

import httptools

from bookinfo.service import limits
from bookinfo.service.answers import HttpError
from bookinfo.service.requests import Address, Request


class Stage(enum.Enum):
    """How far the request that is being received has come."""

    NEW = enum.auto()
    """Nothing was ever received."""
    BETWEEN = enum.auto()
    """The last one is complete, and the next has not begun."""
    HEAD = enum.auto()
    BODY = enum.auto()


NEW, BETWEEN, HEAD, BODY = Stage


class Refusal:
    """Why nothing more is read; `request` is there if its headers were complete."""

    __slots__ = ("error", "request")

    def __init__(self, error: HttpError, request: Request | None = None) -> None:
        self.error = error
        self.request = request


GO_ON: Final = b"100-continue"


class RequestReader:
    """Collects requests; the methods `on_…` are called by the parser."""

    def __init__(self, client: Address | None = None, server: Address | None = None) -> None:
        self.stage = NEW
        self.deadline = monotonic() + limits.HEAD_TIMEOUT_S
        """When the stage is overdue, by `time.monotonic`."""
        self.refusal: Refusal | None = None
        self.awaits_go_ahead = False
        """Whether the client waits for `100 Continue` before it sends the body."""
        self._client = client
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._complete: list[Request] = []
        self._fed_bytes = 0
        self._wire_bytes = 0
        """What the present request has taken so far; it may be up to `_slack_bytes` more."""
        self._slack_bytes = 0
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._request = NO_REQUEST
        self._parts: list[bytes] = []
        self._body_bytes = 0
        self.is_over = False
        """Whether what may still come is not read."""

    def feed(self, data: bytes) -> list[Request]:
        """Take what has arrived; return the requests that became complete by it, in order."""
        if self.is_over:
            return []
        complete: list[Request] = []
        self._complete = complete
        self._fed_bytes = len(data)
        self._wire_bytes += len(data)
        try:
            self._parser.feed_data(data)
            if self.stage is HEAD or self.stage is BODY:
                self._check_length()
        except httptools.HttpParserUpgrade:
            # Answered as if nobody had asked for another protocol; what follows may be in that.
            self.is_over = True
        except httptools.HttpParserCallbackError:
            if self.refusal is None:  # a mistake of ours, not of the client
                raise
        except httptools.HttpParserError as error:
            self._refuse(HttpError(400, f"this is not HTTP: {error}"), None)
        except HttpError as error:
            self._refuse(error, None)
        return complete

    def close(self) -> None:
        """Let go of the parser, which holds on to this object."""
        self.is_over = True
        del self._parser

    def on_message_begin(self) -> None:
        self.stage = HEAD
        self.deadline = monotonic() + limits.HEAD_TIMEOUT_S
        self._target = b""
        self._headers = []
        # Where in the data it begins is not known, unless it is the first.
        self._wire_bytes = 0 if self._complete else self._fed_bytes
        self._slack_bytes = self._fed_bytes - self._wire_bytes

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        began = monotonic()
        self.stage = BODY
        self.deadline = began + limits.BODY_TIMEOUT_S
        parser = self._parser
        version = parser.get_http_version()
        # The first line could not be split if it were no target: then there is no path, and 400.
        path, query = split_target(self._target)
        self._request = request = Request(
            parser.get_method().decode("ascii"),
            path,
            query,
            self._headers,
            version,
            version == "1.1" and parser.should_keep_alive() and not parser.should_upgrade(),
            self._client,
            self._server,
            began,
        )
        try:
            if not path or request.method == "CONNECT":
                raise HttpError(400, "this is no target of a request to a server")
            limits.check_head(
                request,
                target_bytes=len(self._target),
                wire_bytes=self._wire_bytes + self._slack_bytes,
            )
        except HttpError as error:
            self._refuse(error, request)
            raise
        if request.fields.get(b"expect", b"").lower() == GO_ON and version == "1.1":
            self.awaits_go_ahead = True
        self._headers = []  # those after a body, which nobody needs, do not become the request's

    def on_body(self, part: bytes) -> None:
        self.awaits_go_ahead = False
        self._parts.append(part)
        self._body_bytes += len(part)
        if self._body_bytes > limits.MAX_BODY_BYTES:
            error = HttpError(413, f"the body is longer than {limits.MAX_BODY_BYTES} bytes")
            self._refuse(error, self._request)
            raise error

    def on_message_complete(self) -> None:
        request = self._request
        if self._parts:
            request.body = b"".join(self._parts)
            self._parts = []
            self._body_bytes = 0
        self._complete.append(request)
        self.stage = BETWEEN
        self.deadline = request.began + limits.IDLE_TIMEOUT_S
        self.awaits_go_ahead = False

    def time_out(self) -> None:
        """Refuse the request that did not arrive in time."""
        if self.stage is BODY:
            error = HttpError(408, f"the body took longer than {limits.BODY_TIMEOUT_S:g} s")
            self._refuse(error, self._request)
        else:
            self._refuse(HttpError(408, f"the headers took longer than {limits.HEAD_TIMEOUT_S:g} s"), None)

    def _check_length(self) -> None:
        if self.stage is HEAD and self._wire_bytes > limits.MAX_HEAD_BYTES:
            raise HttpError(431, f"the headers are longer than {limits.MAX_HEADER_BYTES} bytes")
        if self.stage is BODY and self._wire_bytes > limits.MAX_MESSAGE_BYTES:
            raise HttpError(413, f"the request is longer than {limits.MAX_MESSAGE_BYTES} bytes")

    def _refuse(self, error: HttpError, request: Request | None) -> None:
        self.refusal = Refusal(error, request)
        self.is_over = True


NO_REQUEST: Final = Request("", "")


def split_target(target: bytes) -> tuple[str, bytes]:
    """
    Return the decoded path and the query of a request target; an empty path if it has none.

    Proxies may send a whole URL, of which the path counts. `*`, for the server itself, is a path that no route has.
    """
    if not target.startswith(b"/") or b"#" in target:
        try:
            url = httptools.parse_url(target)
        except httptools.HttpParserInvalidURLError:
            return "", b""
        raw, query = url.path or b"", url.query or b""
    else:
        raw, _, query = target.partition(b"?")
    path = raw.decode("latin-1")
    return (unquote(path) if "%" in path else path), query
