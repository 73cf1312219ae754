"""How a service's own routes become a whole service: common routes, limits, telemetry, errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, ExceptionHandler, Scope

from bookinfo.service import answers, documents, health, limits, telemetry, tracing
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
    limits: limits.Limits
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

    Raises:
        SettingError: spans are asked for that cannot be made.
    """

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # registered for this class only  # noqa: S101
        allow = allowed_methods(app.routes, request.scope) if error.status_code == 405 else ""
        if allow and request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": allow})
        response = error_page(request, error.status_code, error.detail)
        response.headers.update(error.headers or {})
        if allow:
            response.headers["allow"] = allow
        return response

    async def serve_metrics(request: Request) -> Response:
        body, content_type = metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    readiness = health.Readiness()
    common = [
        *root_routes(settings.root_name),
        *health.routes(readiness),
        Route("/metrics", serve_metrics),
        documents.route(f"bookinfo.{settings.name}"),
    ]
    handlers: Mapping[int | type[Exception], ExceptionHandler] = {HTTPException: refused}
    spans = tracing.start(settings)
    app = Starlette(
        routes=[*common, *routes], exception_handlers=handlers, lifespan=with_spans(lifespan, spans)
    )
    app.router.redirect_slashes = False
    limited = limits.Limits(app)
    asgi = telemetry.Telemetry(limited, settings=settings, metrics=metrics, readiness=readiness, spans=spans)
    return Service(settings=settings, readiness=readiness, limits=limited, asgi=asgi)


def with_spans(lifespan: Lifespan | None, spans: tracing.Tracing | None) -> Lifespan | None:
    """Return the same lifespan, with all spans sent at its end."""
    if spans is None:
        return lifespan

    @asynccontextmanager
    async def both(app: Starlette) -> AsyncIterator[None]:
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield
        finally:
            await asyncio.to_thread(spans.stop)

    return both


def allowed_methods(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """Return the value of an Allow header for a path; empty if there is no such path."""
    methods = {
        method
        for route in routes
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(methods | {"OPTIONS"})) if methods else ""


def root_routes(name: str | None) -> list[BaseRoute]:
    """Return a `GET /` that answers the given name as plain text, or nothing if there is none."""
    if name is None:
        return []
    text = name

    async def root(_request: Request) -> Response:
        return PlainTextResponse(text)

    return [Route("/", root)]
