"""
In place of `istio/pilot`, where tools look for a Deployment `istiod`: it is ready, and says where to look.

The control plane is a part of the lab's own process. This one serves no configuration.
"""

from __future__ import annotations

import sys
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bookmesh.lab.standins import serving

DEFAULT_PORT: Final = 8080
NOTE: Final = (
    "the control plane is a part of the lab's process: see bookmesh logs and istioctl proxy-status\n"
)


def main() -> None:
    """Serve `/ready` on 8080 until SIGTERM; the arguments of the original are accepted and mean nothing."""
    sys.stdout.write(NOTE)
    sys.argv[1:] = []
    serving.run(create(), program="istiod", default_port=DEFAULT_PORT)


def create() -> ASGIApp:
    """Build the application."""

    async def ready(_request: Request) -> Response:
        return PlainTextResponse(NOTE)

    return Starlette(routes=[Route("/ready", ready)])
