"""
Whether this process should get requests: alive as long as it answers, ready from start-up until it is told to stop.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route


class Readiness:
    """
    Starting, then ready, then draining; never back.

    While draining, requests are still served, but `/readyz` fails and every answer asks the caller to close its
    connection, so that no caller is left with a connection that dies under a request.
    """

    def __init__(self) -> None:
        self._started = False
        self._draining = False

    @property
    def is_ready(self) -> bool:
        return self._started and not self._draining

    @property
    def is_draining(self) -> bool:
        return self._draining

    def start(self) -> None:
        self._started = True

    def drain(self) -> None:
        self._draining = True


def routes(readiness: Readiness) -> list[BaseRoute]:
    """Return `/livez` (200 while the process answers) and `/readyz` (503 before start-up and while draining)."""

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("alive")

    async def readyz(_request: Request) -> Response:
        if readiness.is_ready:
            return PlainTextResponse("ready")
        return PlainTextResponse("draining" if readiness.is_draining else "starting", status_code=503)

    return [Route("/livez", livez), Route("/readyz", readyz)]
