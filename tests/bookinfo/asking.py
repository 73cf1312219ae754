"""A plain HTTP client for tests: one request a connection, nothing followed, nothing added, raw bytes where wanted."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Answer:
    """Header names are lower-case; `cookies` are the Set-Cookie lines."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


def ask(
    url: str,
    path: str = "",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
) -> Answer:
    """Send one request to `url` + `path`."""
    parts = urlsplit(url + path)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        data = body.encode("utf-8") if isinstance(body, str) else body
        connection.request(method, target, body=data, headers=dict(headers or {}))
        return _read(connection.getresponse())
    finally:
        connection.close()


def ask_raw(url: str, *, target: bytes, method: bytes = b"GET", headers: Iterable[bytes] = ()) -> Answer:
    """Send a request of which every byte is the test's own, but for `Host` and `Connection: close`."""
    parts = urlsplit(url)
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers]
    with socket.create_connection((parts.hostname or "", parts.port or 80), TIMEOUT_S) as connection:
        connection.sendall(b"\r\n".join([*lines, b"", b""]))
        response = http.client.HTTPResponse(connection, method=method.decode("latin-1"))
        try:
            response.begin()
            return _read(response)
        finally:
            response.close()


def _read(response: http.client.HTTPResponse) -> Answer:
    return Answer(
        status=response.status,
        headers={name.lower(): value for name, value in response.getheaders()},
        cookies=tuple(response.headers.get_all("set-cookie", [])),
        body=response.read(),
    )
