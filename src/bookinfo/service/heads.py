"""The heads of answers: status line, date and who answers, put together once a second instead of once an answer."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from bookinfo.service import answers
from bookinfo.service.answers import Response
from bookinfo.service.settings import ServiceSettings

CLOSE: Final = b"connection: close\r\n"

GO_AHEAD: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

WITHOUT_LENGTH: Final = frozenset({204, 304})
"""Statuses of answers that never have a body."""

PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


class Heads:
    """Encodes heads; `refresh` has to be called every second."""

    def __init__(self, settings: ServiceSettings) -> None:
        identity = {answers.POD_HEADER: settings.pod}
        if settings.version:
            identity[answers.VERSION_HEADER] = settings.version
        self._identity = answers.encode_fields(identity)
        self._beginnings: dict[int, bytes] = {}
        """By status."""

    def refresh(self) -> None:
        """Forget the date."""
        self._beginnings.clear()

    def encode(self, response: Response, *, is_last: bool) -> bytes:
        """Return everything before the body; `is_last`: the connection is closed after it."""
        status = response.status
        beginning = self._beginnings.get(status) or self._begin(status)
        close = CLOSE if is_last else b""
        if status in WITHOUT_LENGTH:
            return b"%b%b%b\r\n" % (beginning, response.fields, close)
        return b"%b%b%bcontent-length: %d\r\n\r\n" % (beginning, response.fields, close, len(response.body))

    def _begin(self, status: int) -> bytes:
        line = (
            f"HTTP/1.1 {status} {PHRASES.get(status, '')}\r\ndate: {formatdate(time.time(), usegmt=True)}\r\n"
        )
        self._beginnings[status] = beginning = line.encode("ascii") + self._identity
        return beginning
