"""
From a path to the handler that serves it.

A route's path is literal, or has names in braces that each stand for one segment: `/details/{product_id}`. Paths are
not corrected: one more slash at the end is another path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, NamedTuple

from bookinfo.service.answers import Response
from bookinfo.service.requests import NO_PARAMETERS, Request

Outcome = Response | Coroutine[Any, Any, Response]

Handler = Callable[[Request], Outcome]
"""
A plain function, which answers at once, or a coroutine function, which may wait: the first is served without a task.
"""

NAME: Final = re.compile(r"\{([a-z_]+)\}")


class Route(NamedTuple):
    """One method, or several, of one path. A GET is a HEAD as well."""

    path: str
    handler: Handler
    methods: tuple[str, ...] = ("GET",)


class Endpoint:
    """All that is served at one path."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.handlers: dict[str, Handler] = {}
        """By method."""

    @property
    def allow(self) -> str:
        """The value of an Allow header."""
        return ", ".join(sorted({*self.handlers, "OPTIONS"}))


class Routes:
    """The route table of a service; for a path and method that several routes name, the first counts."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._literal: dict[str, Endpoint] = {}
        self._patterns: list[tuple[re.Pattern[str], Endpoint]] = []
        endpoints: dict[str, Endpoint] = {}
        for route in routes:
            endpoint = endpoints.get(route.path)
            if endpoint is None:
                endpoint = endpoints[route.path] = Endpoint(route.path)
                self._add(endpoint)
            for method in route.methods:
                endpoint.handlers.setdefault(method, route.handler)
                if method == "GET":
                    endpoint.handlers.setdefault("HEAD", route.handler)

    def _add(self, endpoint: Endpoint) -> None:
        if not NAME.search(endpoint.path):
            self._literal[endpoint.path] = endpoint
            return
        # With a group in the pattern, every other part that is split off is a name.
        parts = NAME.split(endpoint.path)
        pattern = "".join(
            f"(?P<{part}>[^/]+)" if position % 2 else re.escape(part) for position, part in enumerate(parts)
        )
        self._patterns.append((re.compile(pattern), endpoint))

    def find(self, path: str) -> tuple[Endpoint, Mapping[str, str]] | None:
        """Return what serves a path, and its parameters; None if nothing does."""
        endpoint = self._literal.get(path)
        if endpoint is not None:
            return endpoint, NO_PARAMETERS
        for pattern, candidate in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                return candidate, match.groupdict()
        return None
