"""
The call to the external book service: HTTPS to a host outside, for which aiohttp is the client.

Imported by the version that makes this call, when it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from bookinfo.details import books, volumes
from bookinfo.service import asking, tracing

ISBN: Final = "0486424618"
"""The one book that Istio's sample asks for: an edition of The Comedy of Errors."""

TIMEOUT_S: Final = 5.0
CONNECTIONS: Final = 200

KEPT_TO_OURSELVES: Final = frozenset({"authorization", "cookie", "jwt", "end-user"})
"""Propagated inside the shop only: who somebody is here is no business of another company's service."""


def open_session() -> aiohttp.ClientSession:
    """Return the client of this process; must be called on the running loop, and be closed."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),  # cookies belong to the person asking, not to this process
        skip_auto_headers=("User-Agent", "Accept-Encoding"),
    )


class BookServiceError(Exception):
    """There is no book to be had. `status` is what to answer with: 504 for no answer in time, 502 for anything else."""

    def __init__(self, reason: str, *, status: int = 502) -> None:
        super().__init__(reason)
        self.status = status


class BookService:
    """The Google Books API, or what stands in for it."""

    def __init__(self, session: aiohttp.ClientSession, *, base_url: str) -> None:
        self._session = session
        self._url = URL(base_url).with_path("/books/v1/volumes").with_query(f"q=isbn:{ISBN}")

    async def book(self, product_id: int, outgoing: Mapping[str, str]) -> books.Book:
        """
        Ask for the book.

        Raises:
            BookServiceError: with the reason.
        """
        shared = {name: value for name, value in outgoing.items() if name not in KEPT_TO_OURSELVES}
        status, body = await self._ask_in_span(shared)
        if status != 200:
            raise BookServiceError(f"the external book service answered with status {status}")
        try:
            return volumes.parse_book(body, product_id)
        except volumes.UnknownBookError as error:
            raise BookServiceError(f"the external book service gave {error}") from error

    async def _ask_in_span(self, outgoing: Mapping[str, str]) -> tuple[int, bytes]:
        serving = tracing.CURRENT.get()
        if serving is None:
            return await self._ask(outgoing)
        with serving.call("GET", str(self._url), outgoing, attempt=1) as call:
            status, body = await self._ask(call.headers)
            call.answered(status)
            return status, body

    async def _ask(self, outgoing: Mapping[str, str]) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self._session.get(
                self._url, headers=outgoing, timeout=timeout, allow_redirects=False
            ) as response:
                body = await read_bounded(response)
                return response.status, body
        except TimeoutError as error:
            reason = f"the external book service gave no answer within {TIMEOUT_S:g} s"
            raise BookServiceError(reason, status=504) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = f"the external book service gave no answer: {error or type(error).__name__}"
            raise BookServiceError(reason) from error


async def read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """
    Return the body.

    Raises:
        BookServiceError: it is longer than any answer this service reads.
    """
    parts: list[bytes] = []
    total = 0
    async for part in response.content.iter_any():
        total += len(part)
        if total > asking.MAX_ANSWER_BYTES:
            raise BookServiceError("the external book service gave too long an answer")
        parts.append(part)
    return b"".join(parts)
