"""
How a service's own routes become a whole service: common routes, telemetry, errors.

Every request passes through `Service`, so this is the one place where it is recorded and where an exception ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Final

from bookinfo.service import answers, documents, health, limits, logs, telemetry, tracing
from bookinfo.service.answers import HttpError, Response
from bookinfo.service.metrics import Metrics
from bookinfo.service.requests import Request
from bookinfo.service.routes import Endpoint, Outcome, Route, Routes
from bookinfo.service.settings import ServiceSettings

LOGGER: Final = logging.getLogger("bookinfo.service")

CLIENT_CLOSED: Final = 499
"""Recorded when the client went away before it got an answer."""

OVERTIME: Final = {"reason": f"not finished after {limits.REQUEST_TIMEOUT_S:g} s"}

Lifespan = Callable[[], AbstractAsyncContextManager[None]]
"""Opened on the running loop before the first request, closed after the last: the place for connections to others."""

ErrorPage = Callable[[Request, int, str], Response]
"""Renders a refused request: request, status, reason."""


def json_error_page(_request: Request, status: int, reason: str) -> Response:
    """Render `{"error": reason}`."""
    return answers.error(reason, status)


class Service:
    """A service ready to be served; nothing runs yet. Its methods never raise."""

    def __init__(
        self,
        settings: ServiceSettings,
        routes: Routes,
        *,
        readiness: health.Readiness,
        lifespan: Lifespan,
        recorder: telemetry.Telemetry,
        error_page: ErrorPage,
    ) -> None:
        self.settings = settings
        self.readiness = readiness
        self.lifespan = lifespan
        self._routes = routes
        self._recorder = recorder
        self._error_page = error_page

    def answer(self, request: Request) -> Outcome:
        """Answer a request, with a response if that needs no waiting, else with the coroutine that will give it."""
        self._recorder.begin(request)
        try:
            outcome = self._route(request)
        except Exception as error:
            return self._failed(request, error)
        if not isinstance(outcome, Response):
            return self._wait(request, outcome)
        self._recorder.end(request, outcome.status, len(outcome.body))
        return outcome

    def refuse(self, request: Request, error: HttpError) -> Response:
        """Answer a request that is not to be served."""
        self._recorder.begin(request)
        return self._record(request, answers.error(error.reason, error.status))

    def _route(self, request: Request) -> Outcome:
        found = self._routes.find(request.path)
        if found is None:
            raise HttpError(404, "Not Found")
        endpoint, request.parameters = found
        request.route = endpoint.path
        handler = endpoint.handlers.get(request.method)
        return handler(request) if handler is not None else self._other_method(request, endpoint)

    def _other_method(self, request: Request, endpoint: Endpoint) -> Response:
        allow = answers.encode_fields({"allow": endpoint.allow})
        if request.method == "OPTIONS":
            return Response(b"", 204, allow)
        response = self._error_page(request, 405, "Method Not Allowed")
        return Response(response.body, response.status, response.fields + allow)

    async def _wait(self, request: Request, pending: Coroutine[Any, Any, Response]) -> Response:
        try:
            response = await pending
        except asyncio.CancelledError:
            if not request.is_overdue:
                self._recorder.end(request, CLIENT_CLOSED)
                raise
            task = asyncio.current_task()
            assert task is not None  # a coroutine is running  # noqa: S101
            task.uncancel()
            LOGGER.error("request cancelled", extra={logs.FIELDS: {"path": request.path, **OVERTIME}})
            response = answers.error("this took too long", 503)
        except Exception as error:
            return self._failed(request, error)
        return self._record(request, response)

    def _failed(self, request: Request, error: Exception) -> Response:
        if isinstance(error, HttpError):
            return self._record(request, self._error_page(request, error.status, error.reason))
        LOGGER.error("request failed", exc_info=error, extra={logs.FIELDS: {"path": request.path}})
        return self._record(request, answers.error("Internal Server Error", 500), error)

    def _record(self, request: Request, response: Response, error: Exception | None = None) -> Response:
        self._recorder.end(request, response.status, len(response.body), error)
        return response


def build(
    settings: ServiceSettings,
    *,
    routes: Sequence[Route],
    metrics: Metrics,
    lifespan: Lifespan = nullcontext,
    error_page: ErrorPage = json_error_page,
    readiness: health.Readiness | None = None,
) -> Service:
    """
    Put a service together.

    Args:
        routes: the service's own, before those of all services; `GET /` among them is hidden by BOOKINFO_ROOT_NAME.
        lifespan: what the service opens when it starts.
        error_page: renders refusals such as 404 and 405.
        readiness: for a service whose routes need to know it.

    Raises:
        SettingError: spans are asked for that cannot be made.
    """
    readiness = readiness or health.Readiness()
    common = [
        *health.routes(readiness),
        Route("/metrics", lambda request: serve_metrics(metrics, request)),
        documents.route(f"bookinfo.{settings.name}"),
    ]
    spans = tracing.start(settings)
    return Service(
        settings,
        Routes([*root_routes(settings.root_name), *routes, *common]),
        readiness=readiness,
        lifespan=lifespan if spans is None else with_spans(lifespan, spans),
        recorder=telemetry.Telemetry(settings, metrics, spans),
        error_page=error_page,
    )


def serve_metrics(metrics: Metrics, request: Request) -> Response:
    body, content_type = metrics.render(request.header("accept") or "")
    return Response(body, 200, answers.encode_fields({"content-type": content_type}))


def with_spans(lifespan: Lifespan, spans: tracing.Tracing) -> Lifespan:
    """Return the same lifespan, with all spans sent at its end."""

    @asynccontextmanager
    async def both() -> AsyncIterator[None]:
        try:
            async with lifespan():
                yield
        finally:
            await asyncio.to_thread(spans.stop)

    return both


def root_routes(name: str | None) -> list[Route]:
    """Return a `GET /` that answers the given name as plain text, or nothing if there is none."""
    return [] if name is None else [Route("/", lambda _request: answers.text(name))]
