"""
Calls to other services: one pooled HTTP client a process, a time limit and a size limit for each call.

Connections are kept and used again, which a sidecar balances request by request. Without a mesh, a Kubernetes Service
balances connections, not requests: `REUSE_CONNECTIONS=false` opens one a call, to see every replica get its share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from bookinfo.service import answers, tracing

MAX_ANSWER_BYTES: Final = 1024 * 1024
CONNECTIONS: Final = 200
IDLE_CONNECTION_S: Final = 30.0
NAME_CACHE_S: Final = 5


class NoAnswerError(Exception):
    """A service gave no usable answer: not reached, too slow, or too long an answer. The text says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered, whatever the status."""

    status: int
    body: bytes
    version: str | None
    """Which version and pod answered, when they say so."""
    pod: str | None


def open_session(*, reuse_connections: bool) -> aiohttp.ClientSession:
    """Return the client of this process; must be called on the running loop, and be closed."""
    if reuse_connections:
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS, ttl_dns_cache=NAME_CACHE_S, keepalive_timeout=IDLE_CONNECTION_S
        )
    else:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, ttl_dns_cache=NAME_CACHE_S, force_close=True)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),  # cookies belong to the person asking, not to this process
        skip_auto_headers=("User-Agent", "Accept-Encoding"),
    )


class Upstream:
    """Another service, as this one sees it."""

    def __init__(self, session: aiohttp.ClientSession, *, base_url: str, timeout_s: float) -> None:
        self._session = session
        self._base = URL(base_url)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._timeout_s = timeout_s

    async def get(self, path: str, headers: Mapping[str, str], *, attempt: int = 1) -> Answer:
        """
        Ask for a path such as `/details/0`. `attempt` counts from 1, for the span that a retry gets of its own.

        Raises:
            NoAnswerError: there was no complete answer within the time limit.
        """
        url = self._base.with_path(path)
        serving = tracing.CURRENT.get()
        if serving is None:
            return await self._get(url, headers)
        with serving.call("GET", str(url), headers, attempt=attempt) as call:
            answer = await self._get(url, call.headers)
            call.answered(answer.status)
            return answer

    async def _get(self, url: URL, headers: Mapping[str, str]) -> Answer:
        try:
            async with self._session.get(
                url, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                body = await self._read(response)
                return Answer(
                    status=response.status,
                    body=body,
                    version=response.headers.get(answers.VERSION_HEADER),
                    pod=response.headers.get(answers.POD_HEADER),
                )
        except TimeoutError as error:
            raise NoAnswerError(f"{url} gave no answer within {self._timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswerError(f"{url} gave no answer: {error or type(error).__name__}") from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        total = 0
        async for part in response.content.iter_any():
            total += len(part)
            if total > MAX_ANSWER_BYTES:
                raise NoAnswerError(f"{response.url} answered with more than {MAX_ANSWER_BYTES} bytes")
            parts.append(part)
        return b"".join(parts)
