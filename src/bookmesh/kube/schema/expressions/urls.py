"""URLs in expressions: a map of their parts, which methods read."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, Final

_KIND: Final = "kubernetes.URL"
_NOT_IN_HOSTS: Final = frozenset(' "<>\\^`{|}')


def parse(text: str) -> dict[str, Any]:
    """Take an absolute URL or an absolute path apart; raises ValueError."""
    parts = urllib.parse.urlsplit(text)
    if not parts.scheme and not text.startswith("/"):
        raise ValueError(
            f'URL parse error during conversion from string: parse "{text}": invalid URI for request'
        )
    if any(ord(character) < 32 for character in text) or set(parts.netloc) & _NOT_IN_HOSTS:
        raise ValueError(
            f'URL parse error during conversion from string: parse "{text}": invalid character in host name'
        )
    return {
        "type": _KIND,
        "text": text,
        "scheme": parts.scheme,
        "host": parts.netloc.rpartition("@")[2],
        "hostname": _hostname(parts.netloc),
        "port": str(parts.port or ""),
        "path": urllib.parse.quote(parts.path, safe="/%:@!$&'()*+,;=~-._"),
        "query": urllib.parse.parse_qs(parts.query, keep_blank_values=True),
    }


def _hostname(netloc: str) -> str:
    host = netloc.rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def is_url(text: str) -> bool:
    """Whether `url` would take it."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _part(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda url: url[name]


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "isURL": is_url,
    "url": parse,
    "getScheme": _part("scheme"),
    "getHost": _part("host"),
    "getHostname": _part("hostname"),
    "getPort": _part("port"),
    "getEscapedPath": _part("path"),
    "getQuery": _part("query"),
}
