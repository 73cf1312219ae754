"""The HTTP side of details: `/details/{id}` and `/health`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bookinfo.details import books
from bookinfo.service import answers, application
from bookinfo.service.metrics import Metrics
from bookinfo.service.settings import Environment, ServiceSettings, SettingError


def create(environment: Environment, common: ServiceSettings) -> application.Service:
    """
    Build the service.

    Raises:
        SettingError: ENABLE_EXTERNAL_BOOK_SERVICE asks for details from elsewhere, which is not offered.
    """
    if environment.flag("ENABLE_EXTERNAL_BOOK_SERVICE", default=False):
        raise SettingError(
            "ENABLE_EXTERNAL_BOOK_SERVICE", "true", "false: only the built-in details are offered"
        )
    routes = [
        Route("/", root),
        Route("/health", health),
        Route("/details", details),
        Route("/details/{product_id}", details),
    ]
    return application.build(common, routes=routes, metrics=Metrics(common.name, common.version))


async def root(_request: Request) -> Response:
    return PlainTextResponse("details")


async def health(_request: Request) -> Response:
    return answers.JsonResponse({"status": "Details is healthy"})


async def details(request: Request) -> Response:
    product_id = answers.parse_product_id(request.path_params.get("product_id", ""))
    if product_id is None:
        return answers.error("please provide numeric product id", 400)
    return answers.JsonResponse(books.book_for(product_id))
