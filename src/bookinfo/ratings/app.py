"""The HTTP side of ratings: `GET` and `POST /ratings/{id}`, and `/health`."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bookinfo.ratings import store
from bookinfo.service import answers, application
from bookinfo.service.metrics import Metrics
from bookinfo.service.settings import Environment, ServiceSettings, SettingError

NOT_OFFERED: Final = frozenset({"v2", "v-faulty", "v-delayed", "v-unavailable", "v-unhealthy"})
"""Values of SERVICE_VERSION that ask the sample for a database or for faults; all others keep ratings in memory."""


def create(_environment: Environment, common: ServiceSettings) -> application.Service:
    """
    Build the service.

    Raises:
        SettingError: SERVICE_VERSION asks for a variant with behaviour of its own that is not offered.
    """
    if common.version in NOT_OFFERED:
        raise SettingError(
            "SERVICE_VERSION", common.version, "a version that keeps ratings in memory, such as v1"
        )
    ratings = Ratings(store.MemoryStore())
    routes = [
        Route("/", root),
        Route("/health", health),
        Route("/ratings", ratings.read),
        Route("/ratings/{product_id}", ratings.read),
        Route("/ratings/{product_id}", ratings.write, methods=["POST"]),
    ]
    return application.build(common, routes=routes, metrics=Metrics(common.name, common.version))


async def root(_request: Request) -> Response:
    return PlainTextResponse("ratings")


async def health(_request: Request) -> Response:
    return answers.JsonResponse({"status": "Ratings is healthy"})


class Ratings:
    """The handlers that need the store."""

    def __init__(self, ratings: store.MemoryStore) -> None:
        self._store = ratings

    async def read(self, request: Request) -> Response:
        product_id = answers.parse_product_id(request.path_params.get("product_id", ""))
        if product_id is None:
            return not_numeric()
        return answers.JsonResponse(self._store.get(product_id))

    async def write(self, request: Request) -> Response:
        product_id = answers.parse_product_id(request.path_params["product_id"])
        if product_id is None:
            return not_numeric()
        try:
            ratings = store.parse_ratings(await request.body())
            return answers.JsonResponse(self._store.put(product_id, ratings))
        except store.InvalidRatingsError as error:
            body = {"error": "please provide valid ratings JSON", "reason": str(error)}
            return answers.JsonResponse(body, 400)
        except store.StoreFullError as error:
            return answers.error(str(error), 507)


def not_numeric() -> Response:
    return answers.error("please provide numeric product ID", 400)
