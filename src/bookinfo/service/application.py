"""How a service's own routes become a whole service: common routes, limits, telemetry, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, ExceptionHandler

from bookinfo.service import answers, health, limits, telemetry
from bookinfo.service.metrics import Metrics
from bookinfo.service.settings import ServiceSettings

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]
"""Opened on the running loop before the first request, closed after the last: the place for client sessions."""

ErrorPage = Callable[[Request, int, str], Response]
"""Renders a refused request: request, status, reason."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service ready to be served; nothing runs yet."""

    settings: ServiceSettings
    readiness: health.Readiness
    asgi: ASGIApp


def json_error_page(_request: Request, status: int, reason: str) -> Response:
    """Render `{"error": reason}`."""
    return answers.error(reason, status)


def build(
    settings: ServiceSettings,
    *,
    routes: Sequence[BaseRoute],
    metrics: Metrics,
    lifespan: Lifespan | None = None,
    error_page: ErrorPage = json_error_page,
) -> Service:
    """
    Put a service together.

    Args:
        routes: the service's own, tried in order; `GET /` among them is hidden by the setting BOOKINFO_ROOT_NAME.
        lifespan: what the service opens when it starts.
        error_page: renders refusals such as 404 and 405.
    """

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # registered for this class only  # noqa: S101
        response = error_page(request, error.status_code, error.detail)
        response.headers.update(error.headers or {})
        return response

    async def serve_metrics(request: Request) -> Response:
        body, content_type = metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    readiness = health.Readiness()
    common = [*root_routes(settings.root_name), *health.routes(readiness), Route("/metrics", serve_metrics)]
    handlers: Mapping[int | type[Exception], ExceptionHandler] = {HTTPException: refused}
    app = Starlette(routes=[*common, *routes], exception_handlers=handlers, lifespan=lifespan)
    asgi = telemetry.Telemetry(limits.Limits(app), settings=settings, metrics=metrics, readiness=readiness)
    return Service(settings=settings, readiness=readiness, asgi=asgi)


def root_routes(name: str | None) -> list[BaseRoute]:
    """Return a `GET /` that answers the given name as plain text, or nothing if there is none."""
    if name is None:
        return []
    text = name

    async def root(_request: Request) -> Response:
        return PlainTextResponse(text)

    return [Route("/", root)]
