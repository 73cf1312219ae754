"""A stand-in for `istio/examples-helloworld-v1` and `-v2`: it says its version and the name of its pod."""

from __future__ import annotations

import os
import socket
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bookmesh.lab.standins import serving

DEFAULT_PORT: Final = 5000


def main() -> None:
    """Serve on `--port`, `$PORT` or 5000 until SIGTERM; `$SERVICE_VERSION` is the version it names."""
    app = create(version=os.environ.get("SERVICE_VERSION", "unknown"), instance=socket.gethostname())
    serving.run(app, program="helloworld", default_port=DEFAULT_PORT)


def create(*, version: str, instance: str) -> ASGIApp:
    """Build the application."""

    async def hello(_request: Request) -> Response:
        return PlainTextResponse(f"Hello version: {version}, instance: {instance}\n")

    async def health(_request: Request) -> Response:
        return PlainTextResponse("Helloworld is healthy")

    return Starlette(routes=[Route("/hello", hello), Route("/health", health)])
