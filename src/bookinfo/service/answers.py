"""
Answers: what a handler returns, the usual kinds of it, and the identifiers in paths that it answers for.

Header lines are kept as they go on the wire, so that those of the usual answers are encoded once and for all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

PRODUCT_ID: Final = re.compile(r"-?[0-9]{1,10}")
LARGEST_PRODUCT_ID: Final = 2**31 - 1

VERSION_HEADER: Final = "bookinfo-version"
POD_HEADER: Final = "bookinfo-pod"
"""Response headers that say which version and which pod answered."""

JSON: Final = b"content-type: application/json\r\n"
TEXT: Final = b"content-type: text/plain; charset=utf-8\r\n"

NOT_IN_A_LINE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_ENCODER: Final = msgspec.json.Encoder()


class Response(msgspec.Struct, eq=False):
    """A whole answer. `fields` are further header lines, each with its line end; the server adds what all bear."""

    body: bytes = b""
    status: int = 200
    fields: bytes = b""


class HttpError(Exception):
    """A request that is refused: the status to answer with, and the reason for people."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


def encode_fields(headers: Mapping[str, str]) -> bytes:
    """
    Return headers as lines for `Response.fields`.

    Raises:
        ValueError: a control character, which could begin another header.
    """
    for name, value in headers.items():
        if NOT_IN_A_LINE.search(name) or NOT_IN_A_LINE.search(value):
            raise ValueError(f"header {name!r} cannot have the value {value!r}")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1", "replace")


def json(value: object, status: int = 200) -> Response:
    """Answer with anything msgspec can encode, as compact JSON."""
    return Response(_ENCODER.encode(value), status, JSON)


def text(value: str, status: int = 200) -> Response:
    """Answer with plain text."""
    return Response(value.encode("utf-8"), status, TEXT)


def error(reason: str, status: int) -> Response:
    """Answer with `{"error": reason}`."""
    return json({"error": reason}, status)


def parse_product_id(text: str) -> int | None:
    """Return the product that a path names; None if it is not a 32-bit number in ASCII digits."""
    if not PRODUCT_ID.fullmatch(text):
        return None
    number = int(text)
    return number if -LARGEST_PRODUCT_ID <= number <= LARGEST_PRODUCT_ID else None
