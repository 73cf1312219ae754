"""
Upper bounds for what a client may send (target, headers, body), the time it may take, and how long it is served.

Bookinfo's requests are tiny, so the bounds are too. Whoever exceeds one gets 414, 431, 413 or 408 and the request
does not reach a handler. A handler that has not finished after `REQUEST_TIMEOUT_S` is cancelled and the answer is 503;
handlers have shorter limits of their own, so this one is the net below them.

Time is not watched by a timer a request, which would cost more than the parsing: the server looks at all connections
once a second, so each of these times has a second's tolerance.
"""

from __future__ import annotations

from typing import Final

from bookinfo.service.answers import HttpError
from bookinfo.service.requests import Request

MAX_TARGET_BYTES: Final = 8 * 1024
MAX_HEADER_BYTES: Final = 60 * 1024
"""Envoy's own limit: what a sidecar lets through is served."""
MAX_HEADERS: Final = 200
"""Lines. Envoy takes 100 from a client and adds some of its own."""
MAX_BODY_BYTES: Final = 64 * 1024

MAX_HEAD_BYTES: Final = 2 * (MAX_HEADER_BYTES + MAX_TARGET_BYTES)
"""
First line and headers on the wire, with separators. `check_head` counts exactly and answers with a better reason once
a head is complete; this one is for a head that never is.
"""

MAX_MESSAGE_BYTES: Final = MAX_HEAD_BYTES + 8 * MAX_BODY_BYTES
"""A whole request on the wire: enough for a body whose chunks have one byte each, and an end to their extensions."""

HEAD_TIMEOUT_S: Final = 10.0
"""From the connection, or on a used one from the first byte, to the end of the headers."""
BODY_TIMEOUT_S: Final = 10.0
"""From the end of the headers to the end of the body."""
REQUEST_TIMEOUT_S: Final = 30.0
WRITE_TIMEOUT_S: Final = 30.0
"""For a client that does not read to take what waits to be sent."""

IDLE_TIMEOUT_S: Final = 3660.0
"""
How long an idle connection is kept. Longer than Envoy keeps one (an hour), so that it is always the proxy that closes:
a server that closes first can do so just when a request is on its way.
"""


def check_head(request: Request, *, target_bytes: int, wire_bytes: int) -> None:
    """
    Check the first line and the headers of a request.

    Args:
        wire_bytes: at most what they took on the wire.

    Raises:
        HttpError: a limit is exceeded, or what was sent is no HTTP/1.1 that we would dare to interpret.
    """
    if target_bytes > MAX_TARGET_BYTES:
        raise HttpError(414, f"the request target is longer than {MAX_TARGET_BYTES} bytes")
    if wire_bytes > MAX_HEADER_BYTES:
        header_bytes = sum(len(name) + len(value) for name, value in request.headers)
        if header_bytes > MAX_HEADER_BYTES:
            raise HttpError(431, f"the headers are longer than {MAX_HEADER_BYTES} bytes")
    if len(request.headers) > MAX_HEADERS:
        raise HttpError(431, f"there are more than {MAX_HEADERS} headers")
    if request.version not in {"1.1", "1.0"}:
        raise HttpError(505, "this server speaks HTTP/1.1")
    fields = request.fields
    if b"content-length" in fields or b"transfer-encoding" in fields:
        check_length(request)
    if b"host" not in fields:
        if request.version == "1.1":
            raise HttpError(400, "the header Host is missing")
    elif len(fields) != len(request.headers) and sum(name == b"host" for name, _ in request.headers) > 1:
        raise HttpError(400, "the header Host is repeated")


def check_length(request: Request) -> None:
    """
    Check what says where the body ends; others on its way must not understand it otherwise.

    The parser has refused the rest: both Content-Length and Transfer-Encoding, either repeated, odd numbers, odd
    white space and line ends.

    Raises:
        HttpError: with the reason.
    """
    encoding = request.fields.get(b"transfer-encoding")
    if encoding is not None:
        if request.version == "1.0":
            raise HttpError(400, "Transfer-Encoding is not part of HTTP/1.0")
        if encoding.strip().lower() != b"chunked":
            raise HttpError(501, "the only Transfer-Encoding that is understood is chunked")
    elif int(request.fields[b"content-length"]) > MAX_BODY_BYTES:
        raise HttpError(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
