"""
Whether this process should get requests: alive as long as it answers, ready from start-up until it is told to stop.
"""

from __future__ import annotations

from bookinfo.service import answers
from bookinfo.service.answers import Response
from bookinfo.service.requests import Request
from bookinfo.service.routes import Route


class Readiness:
    """
    Starting, then ready, then draining; never back.

    While draining, requests are still served, but `/readyz` fails and every answer asks the caller to close its
    connection, so that no caller is left with a connection that dies under a request.
    """

    def __init__(self) -> None:
        self._started = False
        self.is_draining = False

    @property
    def is_ready(self) -> bool:
        return self._started and not self.is_draining

    def start(self) -> None:
        self._started = True

    def drain(self) -> None:
        self.is_draining = True


def routes(readiness: Readiness) -> list[Route]:
    """Return `/livez` (200 while the process answers) and `/readyz` (503 before start-up and while draining)."""

    def livez(_request: Request) -> Response:
        return answers.text("alive")

    def readyz(_request: Request) -> Response:
        return not_ready(readiness) or answers.text("ready")

    return [Route("/livez", livez), Route("/readyz", readyz)]


def not_ready(readiness: Readiness) -> Response | None:
    """Return the answer of a service that wants no requests now; None if it does."""
    if readiness.is_ready:
        return None
    return answers.text("draining" if readiness.is_draining else "starting", 503)
