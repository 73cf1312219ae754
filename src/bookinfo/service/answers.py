"""JSON and plain-text answers, and the identifiers in paths that they answer for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

PRODUCT_ID: Final = re.compile(r"-?[0-9]{1,10}")
LARGEST_PRODUCT_ID: Final = 2**31 - 1

VERSION_HEADER: Final = "bookinfo-version"
POD_HEADER: Final = "bookinfo-pod"
"""Response headers that say which version and which pod answered."""


class JsonResponse(Response):
    """A value msgspec can encode, as compact JSON."""

    media_type = "application/json"

    def __init__(self, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(msgspec.json.encode(value), status, headers)


def error(text: str, status: int) -> JsonResponse:
    """Return `{"error": text}`."""
    return JsonResponse({"error": text}, status)


def parse_product_id(text: str) -> int | None:
    """Return the product that a path names; None if it is not a 32-bit number in ASCII digits."""
    if not PRODUCT_ID.fullmatch(text):
        return None
    number = int(text)
    return number if -LARGEST_PRODUCT_ID <= number <= LARGEST_PRODUCT_ID else None
