"""The HTTP side of details: `/details/{id}` and `/health`, and the call to the external service if there is one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from bookinfo.details import books
from bookinfo.details import settings as details_settings
from bookinfo.service import answers, application, headers, logs
from bookinfo.service.answers import Response
from bookinfo.service.metrics import Metrics
from bookinfo.service.requests import Request
from bookinfo.service.routes import Outcome, Route
from bookinfo.service.settings import Environment, ServiceSettings

if TYPE_CHECKING:
    from bookinfo.details import external

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


def root(_request: Request) -> Response:
    return answers.text("details")


def health(_request: Request) -> Response:
    return answers.json({"status": "Details is healthy"})


class Details:
    """The handler, with the connection to the external service that v2 needs."""

    def __init__(self, settings: details_settings.DetailsSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._book_service: external.BookService | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Hold the connections to the external service open; none in the version that never asks."""
        if self._settings.book_service_url is None:
            yield
            return
        from bookinfo.details import external  # the client behind it is large, and few need it

        async with external.open_session() as session:
            self._book_service = external.BookService(session, base_url=self._settings.book_service_url)
            yield

    def read(self, request: Request) -> Outcome:
        product_id = answers.parse_product_id(request.parameters.get("product_id", ""))
        if product_id is None:
            return answers.error("please provide numeric product id", 400)
        if self._book_service is None:
            return answers.json(books.book_for(product_id))
        return self._ask(self._book_service, product_id, headers.propagated_headers(request.headers))

    async def _ask(
        self, service: external.BookService, product_id: int, outgoing: Mapping[str, str]
    ) -> Response:
        from bookinfo.details import external

        try:
            book = await service.book(product_id, outgoing)
        except external.BookServiceError as error:
            self._metrics.called(service="books", status=error.status)
            LOGGER.warning("no details", extra={logs.FIELDS: {"reason": str(error)}})
            return answers.error(str(error), error.status)
        self._metrics.called(service="books", status=200)
        return answers.json(book)
