"""The HTTP side of ratings: `GET` and `POST /ratings/{id}`, `/health`, and a `/readyz` that asks the store."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bookinfo.ratings import choosing, faults, settings, store
from bookinfo.service import answers, application, logs
from bookinfo.service.health import Readiness
from bookinfo.service.metrics import Metrics
from bookinfo.service.settings import Environment, ServiceSettings

LOGGER: Final = logging.getLogger("bookinfo.ratings")


def create(environment: Environment, common: ServiceSettings) -> application.Service:
    """
    Build the service.

    Raises:
        SettingError: a variable has a value that cannot be used, or a driver is missing.
    """
    kept = choosing.build_store(settings.read(environment, common.version))
    # Which half of the requests fails is nobody's secret.
    wanted = faults.Faults(common.version, clock=time.monotonic, dice=random.random)
    return build(common, kept, wanted)


def build(common: ServiceSettings, kept: store.RatingsStore, wanted: faults.Faults) -> application.Service:
    """Build the service over any store, with any faults."""
    ratings = Ratings(kept, wanted)
    routes = [
        Route("/", root),
        Route("/health", ratings.health),
        Route("/ratings", ratings.read),
        Route("/ratings/{product_id}", ratings.read),
        Route("/ratings/{product_id}", ratings.write, methods=["POST"]),
    ]
    service = application.build(
        common, routes=routes, metrics=Metrics(common.name, common.version), lifespan=ratings.lifespan
    )
    ratings.readiness = service.readiness
    return service


async def root(_request: Request) -> Response:
    return PlainTextResponse("ratings")


class Ratings:
    """The handlers that need the store."""

    readiness: Readiness

    def __init__(self, kept: store.RatingsStore, wanted: faults.Faults) -> None:
        self._store = kept
        self._faults = wanted

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Hold the store open, and answer `/readyz` in place of the route that all services have."""
        app.router.routes.insert(0, Route("/readyz", self.readyz))
        async with self._store.open():
            yield

    async def health(self, _request: Request) -> Response:
        if self._faults.is_healthy():
            return answers.JsonResponse({"status": "Ratings is healthy"})
        return answers.JsonResponse({"status": "Ratings is not healthy"}, 500)

    async def readyz(self, _request: Request) -> Response:
        if not self.readiness.is_ready:
            return PlainTextResponse(
                "draining" if self.readiness.is_draining else "starting", status_code=503
            )
        try:
            await self._store.get(0)
        except store.UnavailableError as error:
            return PlainTextResponse(error.answer, status_code=503)
        return PlainTextResponse("ready")

    async def read(self, request: Request) -> Response:
        product_id = answers.parse_product_id(request.path_params.get("product_id", ""))
        if product_id is None:
            return not_numeric()
        fate = self._faults.fate()
        if fate is faults.Fate.REFUSED:
            return answers.error("Service unavailable", 503)
        if fate is faults.Fate.DELAYED:
            await asyncio.sleep(faults.DELAY_S)
        try:
            return answers.JsonResponse(await self._store.get(product_id))
        except store.UnavailableError as error:
            LOGGER.warning(error.answer, extra={logs.FIELDS: {"reason": error.reason}})
            return answers.error(error.answer, 500)

    async def write(self, request: Request) -> Response:
        product_id = answers.parse_product_id(request.path_params["product_id"])
        if product_id is None:
            return not_numeric()
        try:
            ratings = store.parse_ratings(await request.body())
            return answers.JsonResponse(await self._store.put(product_id, ratings))
        except store.InvalidRatingsError as error:
            body = {"error": "please provide valid ratings JSON", "reason": str(error)}
            return answers.JsonResponse(body, 400)
        except store.ReadOnlyError as error:
            return answers.error(str(error), 501)
        except store.StoreFullError as error:
            return answers.error(str(error), 507)


def not_numeric() -> Response:
    return answers.error("please provide numeric product ID", 400)
