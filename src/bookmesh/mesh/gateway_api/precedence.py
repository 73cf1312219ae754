"""
Which rule decides when several match: the most specific, then the one of the oldest route, then the first.

An exact path wins over a prefix, and that over an expression; then the longer one; then a condition on the method;
then more headers; then more parameters of the query.
"""

from __future__ import annotations

from collections.abc import Iterable

from bookmesh.mesh.model import matching, virtual_services


def in_order(routes: Iterable[virtual_services.HttpRoute]) -> tuple[virtual_services.HttpRoute, ...]:
    """Sort routes with one condition each; those that are equally specific keep their order."""
    return tuple(sorted(routes, key=_key))


def _key(route: virtual_services.HttpRoute) -> tuple[int, int, bool, int, int]:
    match = route.match[0] if route.match else virtual_services.HttpMatchRequest()
    rank, length = _path(match.uri)
    return rank, -length, match.method is None, -len(match.headers), -len(match.query_params)


def _path(uri: matching.StringMatch | None) -> tuple[int, int]:
    """(0 for exact, 1 for prefix, 2 for expression, 3 for none; length)."""
    if uri is None:
        return 3, 0
    for rank, text in enumerate((uri.exact, uri.prefix, uri.regex)):
        if text is not None:
            return rank, len(text)
    return 3, 0
