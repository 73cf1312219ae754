"""
Calls to other services: one pool of connections each, a time limit and a size limit for each call.

Connections are kept and used again, which a sidecar balances request by request. Without a mesh, a Kubernetes Service
balances connections, not requests: `REUSE_CONNECTIONS=false` opens one a call, to see every replica get its share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from bookinfo.service import pooling, tracing
from bookinfo.service.asking import Answer, AnswerError


class NoAnswerError(Exception):
    """A service gave no usable answer: not reached, too slow, or too long an answer. The text says which."""


class Upstream:
    """Another service, as this one sees it; made on the running loop, and closed on it."""

    def __init__(self, *, base_url: str, timeout_s: float, reuse_connections: bool = True) -> None:
        parts = urlsplit(base_url)
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._pool = pooling.Pool(parts.hostname or "", parts.port or 80, reuse_connections=reuse_connections)
        self._middle = f" HTTP/1.1\r\nhost: {parts.netloc}\r\naccept: */*\r\n"
        if not reuse_connections:
            self._middle += "connection: close\r\n"

    def close(self) -> None:
        self._pool.close()

    async def get(self, path: str, headers: Mapping[str, str], *, attempt: int = 1) -> Answer:
        """
        Ask for a path such as `/details/0`. `attempt` counts from 1, for the span that a retry gets of its own.

        Raises:
            NoAnswerError: there was no complete answer within the time limit.
        """
        serving = tracing.CURRENT.get()
        if serving is None:
            return await self._get(path, headers)
        with serving.call("GET", self._base_url + path, headers, attempt=attempt) as call:
            answer = await self._get(path, call.headers)
            call.answered(answer.status)
            return answer

    async def _get(self, path: str, headers: Mapping[str, str]) -> Answer:
        request = encode_request(f"GET {path}{self._middle}", headers)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._pool.ask(request)
        except TimeoutError as error:
            reason = f"{self._base_url}{path} gave no answer within {self._timeout_s:g} s"
            raise NoAnswerError(reason) from error
        except (AnswerError, OSError) as error:
            reason = f"{self._base_url}{path} gave no answer: {error or type(error).__name__}"
            raise NoAnswerError(reason) from error


def encode_request(beginning: str, headers: Mapping[str, str]) -> bytes:
    """
    Return the head of a request, of which `beginning` is there already.

    Raises:
        ValueError: a header has a line end in it.
    """
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        raise ValueError("a header has a line end in it")
    return f"{beginning}{lines}\r\n".encode()
