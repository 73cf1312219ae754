"""
In place of `istio/pilot`, where tools look for a Deployment `istiod`: it is ready, and answers what they ask it.

The control plane is a part of the lab's own process. This one serves no configuration: it passes on what the lab says
about its proxies, as `/debug/syncz`, and over gRPC for `istioctl proxy-status` (see `istiod_xds`).
"""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import signal
import sys
from collections.abc import Iterator
from typing import Any, Final

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bookmesh.lab import releases
from bookmesh.lab.standins import istiod_lab, istiod_xds, serving

DEFAULT_PORT: Final = 8080
MONITORING_PORT: Final = 15014
XDS_PORT: Final = 15012
CLUSTER: Final = "Kubernetes"
NOTE: Final = (
    "the control plane is a part of the lab's process: see bookmesh logs and istioctl proxy-status\n"
)


def main() -> None:
    """
    Serve until SIGTERM; the arguments of the original are accepted and mean nothing.

    Raises:
        SystemExit: 1 when a port cannot be listened on.
    """
    sys.stdout.write(NOTE)
    sys.stdout.flush()
    with contextlib.ExitStack() as held:
        try:
            listeners = [held.enter_context(serving.listen(port)) for port in (DEFAULT_PORT, MONITORING_PORT)]
            xds = held.enter_context(serving.listen(XDS_PORT))
        except OSError as error:
            sys.stderr.write(f"istiod: cannot listen: {error.strerror}\n")
            raise SystemExit(1) from error
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(listeners, xds))


async def _serve(listeners: list[Any], xds: Any) -> None:
    server = serving.Server(create())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stopping.set)
    async with istiod_xds.listening(xds, istiod_lab.ask):
        await server.serve(sockets=listeners)


def create(ask: istiod_lab.Ask = istiod_lab.ask) -> ASGIApp:
    """Build the application; `ask` gives the lab's status."""

    async def ready(_request: Request) -> Response:
        return PlainTextResponse(NOTE)

    async def version(_request: Request) -> Response:
        return PlainTextResponse(f"{releases.ISTIO_TAG}-bookmesh-Clean")

    async def syncz(_request: Request) -> Response:
        try:
            proxies = (await ask())["proxies"]
        except OSError as error:
            return PlainTextResponse(f"the lab does not answer: {error}\n", status_code=503)
        return JSONResponse(list(sync_statuses(proxies)))

    async def other(request: Request) -> Response:
        """As the original's router: a path with doubled slashes, as istioctl's, leads to the clean one."""
        path = request.url.path
        clean = posixpath.normpath(path).replace("//", "/")
        return RedirectResponse(clean) if clean != path else PlainTextResponse("404 page not found\n", 404)

    return Starlette(
        routes=[
            Route("/ready", ready),
            Route("/version", version),
            Route("/debug/syncz", syncz),
            Route("/{path:path}", other),
        ]
    )


def sync_statuses(proxies: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Connected proxies as istiod's `/debug/syncz` lists them."""
    for proxy in proxies:
        if proxy["connected"]:
            kind, _, name, _ = proxy["id"].split("~")
            yield {
                "cluster_id": CLUSTER,
                "proxy": name,
                "proxy_type": kind,
                "istio_version": releases.ISTIO_TAG,
            }
