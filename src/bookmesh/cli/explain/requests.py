"""A request as somebody types it: method, URL, headers."""

from __future__ import annotations

import posixpath
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import click

_PORTS: Final = {"http": 80, "https": 443, "tcp": 0, "tls": 443}


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request, or with the schemes `tcp` and `tls` one connection. Header names are lower-case.

    `address` is what the host's name leads to, "" when unknown; `server_name` is what a TLS greeting asks for, "" for
    none.
    """

    method: str
    scheme: str
    host: str
    port: int
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    server_name: str = ""

    @property
    def is_tls(self) -> bool:
        """Whether the caller itself speaks TLS."""
        return self.scheme in ("https", "tls")

    @property
    def is_http(self) -> bool:
        return self.scheme in ("http", "https")

    @property
    def authority(self) -> str:
        return self.headers.get("host", self.host)

    @property
    def normalized_path(self) -> str:
        """The path as Envoy routes it when it normalizes paths: without `.` and `..`; slashes are not merged."""
        if "/." not in self.path:
            return self.path
        kept = posixpath.normpath(self.path)
        return kept + "/" if self.path.endswith(("/", "/.", "/..")) and kept != "/" else kept

    def header(self, name: str) -> str | None:
        """A header, or what Envoy calls one: `:method`, `:path`, `:authority`, `:scheme`."""
        pseudo = {
            ":method": self.method,
            ":path": self.path,
            ":authority": self.authority,
            ":scheme": self.scheme,
        }
        return pseudo.get(name, self.headers.get(name))


def parse_request(method: str, url: str, headers: Iterable[str], *, server_name: str = "") -> Request:
    """
    Read what somebody typed.

    Raises:
        UsageError: the URL or a header is none.
    """
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise click.UsageError(f"{url!r}: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise click.UsageError(
            f"{url!r} is no URL such as http://reviews:9080/reviews/0; schemes are {', '.join(_PORTS)}"
        )
    if not port:
        raise click.UsageError(f"{url!r} needs a port")
    given = dict(_header(text) for text in headers)
    is_tls = parts.scheme in ("https", "tls")
    return Request(
        method=method.upper(),
        scheme=parts.scheme,
        host=parts.hostname,
        port=port,
        path=parts.path or "/",
        query=_first_values(parts.query),
        headers=given,
        server_name=(server_name or parts.hostname).lower() if is_tls else "",
    )


def _header(text: str) -> tuple[str, str]:
    sign = min((text.index(each) for each in "=:" if each in text), default=-1)
    if sign < 1:
        raise click.UsageError(f"-H {text!r}: expected NAME=VALUE")
    return text[:sign].strip().lower(), text[sign + 1 :].strip()


def _first_values(query: str) -> dict[str, str]:
    """Of a parameter that is there twice, Envoy looks at the first."""
    found: dict[str, str] = {}
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, value)
    return found
