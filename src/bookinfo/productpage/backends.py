"""
The calls to details, reviews and ratings, and what a failing one turns into.

A failure is data here: a status and the sentence that page and API show. So a backend that is down never breaks the
page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import msgspec

from bookinfo.productpage.settings import PageSettings
from bookinfo.service import answers, logs, upstream
from bookinfo.service.metrics import Metrics

LOGGER: Final = logging.getLogger("bookinfo.productpage")

TIMEOUT_S: Final = 3.0

REVIEWS_ATTEMPTS: Final = 2
"""
A mistake, on purpose: two attempts of 3 s each end before reviews v2 has given up waiting for slow ratings. Istio's
fault-injection task is about finding it.
"""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of asking one backend."""

    status: int
    """The backend's own; 500 if it gave no usable answer."""
    body: bytes
    """JSON: the backend's answer if the status is 200, else `{"error": sentence}`."""
    seconds: float
    version: str | None = None
    pod: str | None = None

    @property
    def is_ok(self) -> bool:
        return self.status == 200


class Backends:
    """The services behind the page; usable while `lifespan` is open."""

    def __init__(self, settings: PageSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._upstreams: dict[str, upstream.Upstream] = {}

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Hold the connections to all backends."""
        urls = {
            "details": self._settings.details_url,
            "reviews": self._settings.reviews_url,
            "ratings": self._settings.ratings_url,
        }
        for name, url in urls.items():
            self._upstreams[name] = upstream.Upstream(
                base_url=url, timeout_s=TIMEOUT_S, reuse_connections=self._settings.reuse_connections
            )
        try:
            yield
        finally:
            for opened in self._upstreams.values():
                opened.close()

    async def details(self, product_id: int, headers: Mapping[str, str]) -> Result:
        return await self._ask("details", product_id, headers, attempts=1)

    async def reviews(self, product_id: int, headers: Mapping[str, str]) -> Result:
        """Ask for reviews, up to twice; before that, send the flood of calls that FLOOD_FACTOR asks for."""
        if self._settings.flood_factor:
            flood = (
                self._ask("reviews", product_id, headers, attempts=1)
                for _ in range(self._settings.flood_factor)
            )
            await asyncio.gather(*flood)
        return await self._ask("reviews", product_id, headers, attempts=REVIEWS_ATTEMPTS)

    async def ratings(self, product_id: int, headers: Mapping[str, str]) -> Result:
        return await self._ask("ratings", product_id, headers, attempts=1)

    async def _ask(self, name: str, product_id: int, headers: Mapping[str, str], *, attempts: int) -> Result:
        started = perf_counter()
        status = 500
        for attempt in range(1, attempts + 1):
            try:
                answer = await self._upstreams[name].get(f"/{name}/{product_id}", headers, attempt=attempt)
            except upstream.NoAnswerError as error:
                status, reason = 500, str(error)
            else:
                if answer.status == 200 and is_json(answer.body):
                    self._metrics.called(service=name, status=200)
                    seconds = perf_counter() - started
                    return Result(
                        200,
                        answer.body,
                        seconds,
                        answer.header(answers.VERSION_HEADER),
                        answer.header(answers.POD_HEADER),
                    )
                status = answer.status if answer.status != 200 else 500
                reason = f"status {answer.status}" if answer.status != 200 else "the answer is not JSON"
            LOGGER.warning(
                "backend failed", extra={logs.FIELDS: {"backend": name, "attempt": attempt, "reason": reason}}
            )
        self._metrics.called(service=name, status=status)
        return Result(status, unavailable(name), perf_counter() - started)


def unavailable(name: str) -> bytes:
    """Return the JSON that stands in for an answer of `name`."""
    sentence = f"Sorry, product {name} are currently unavailable for this book."
    return msgspec.json.encode({"error": sentence})


def is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True
