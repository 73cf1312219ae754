"""The HTTP side of details: `/details/{id}` and `/health`, and the call to the external service if there is one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bookinfo.details import books, external
from bookinfo.details import settings as details_settings
from bookinfo.service import answers, application, headers, logs, upstream
from bookinfo.service.metrics import Metrics
from bookinfo.service.settings import Environment, ServiceSettings

LOGGER: Final = logging.getLogger("bookinfo.details")


def create(environment: Environment, common: ServiceSettings) -> application.Service:
    """
    Build the service.

    Raises:
        SettingError: a variable has a value that cannot be used.
    """
    return build(common, details_settings.read(environment))


def build(common: ServiceSettings, settings: details_settings.DetailsSettings) -> application.Service:
    """Build the service from its settings."""
    metrics = Metrics(common.name, common.version)
    details = Details(settings, metrics)
    routes = [
        Route("/", root),
        Route("/health", health),
        Route("/details", details.read),
        Route("/details/{product_id}", details.read),
    ]
    return application.build(common, routes=routes, metrics=metrics, lifespan=details.lifespan)


async def root(_request: Request) -> Response:
    return PlainTextResponse("details")


async def health(_request: Request) -> Response:
    return answers.JsonResponse({"status": "Details is healthy"})


class Details:
    """The handler, with the connection to the external service that v2 needs."""

    def __init__(self, settings: details_settings.DetailsSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._book_service: external.BookService | None = None

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Hold the connections to the external service open; none in the version that never asks."""
        if self._settings.book_service_url is None:
            yield
            return
        async with upstream.open_session(reuse_connections=True) as session:
            self._book_service = external.BookService(session, base_url=self._settings.book_service_url)
            yield

    async def read(self, request: Request) -> Response:
        product_id = answers.parse_product_id(request.path_params.get("product_id", ""))
        if product_id is None:
            return answers.error("please provide numeric product id", 400)
        if self._book_service is None:
            return answers.JsonResponse(books.book_for(product_id))
        outgoing = headers.propagated_headers(request.scope["headers"])
        try:
            book = await self._book_service.book(product_id, outgoing)
        except external.BookServiceError as error:
            self._metrics.called(service="books", status=error.status)
            LOGGER.warning("no details", extra={logs.FIELDS: {"reason": str(error)}})
            return answers.error(str(error), error.status)
        self._metrics.called(service="books", status=200)
        return answers.JsonResponse(book)
