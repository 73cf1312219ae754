"""The HTTP side of ratings: `GET` and `POST /ratings/{id}`, `/health`, and a `/readyz` that asks the store."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import Final

from bookinfo.ratings import choosing, faults, settings, store
from bookinfo.service import answers, application, health, logs
from bookinfo.service.answers import Response
from bookinfo.service.metrics import Metrics
from bookinfo.service.requests import Request
from bookinfo.service.routes import Outcome, Route
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
    ratings = Ratings(kept, wanted, health.Readiness())
    routes = [
        Route("/readyz", ratings.readyz),
        Route("/", root),
        Route("/health", ratings.health),
        Route("/ratings", ratings.read),
        Route("/ratings/{product_id}", ratings.read),
        Route("/ratings/{product_id}", ratings.write, methods=("POST",)),
    ]
    return application.build(
        common,
        routes=routes,
        metrics=Metrics(common.name, common.version),
        lifespan=kept.open,
        readiness=ratings.readiness,
    )


def root(_request: Request) -> Response:
    return answers.text("ratings")


class Ratings:
    """The handlers that need the store."""

    def __init__(self, kept: store.RatingsStore, wanted: faults.Faults, readiness: health.Readiness) -> None:
        self.readiness = readiness
        self._store = kept
        self._faults = wanted

    def health(self, _request: Request) -> Response:
        if self._faults.is_healthy():
            return answers.json({"status": "Ratings is healthy"})
        return answers.json({"status": "Ratings is not healthy"}, 500)

    async def readyz(self, _request: Request) -> Response:
        refusal = health.not_ready(self.readiness)
        if refusal is not None:
            return refusal
        try:
            await self._store.get(0)
        except store.UnavailableError as error:
            return answers.text(error.answer, 503)
        return answers.text("ready")

    def read(self, request: Request) -> Outcome:
        product_id = answers.parse_product_id(request.parameters.get("product_id", ""))
        if product_id is None:
            return not_numeric()
        fate = self._faults.fate()
        if fate is faults.Fate.REFUSED:
            return answers.error("Service unavailable", 503)
        at_hand = self._store.at_hand(product_id) if fate is faults.Fate.ANSWERED else None
        return answers.json(at_hand) if at_hand is not None else self._read_slowly(product_id, fate)

    async def _read_slowly(self, product_id: int, fate: faults.Fate) -> Response:
        if fate is faults.Fate.DELAYED:
            await asyncio.sleep(faults.DELAY_S)
        try:
            return answers.json(await self._store.get(product_id))
        except store.UnavailableError as error:
            LOGGER.warning(error.answer, extra={logs.FIELDS: {"reason": error.reason}})
            return answers.error(error.answer, 500)

    async def write(self, request: Request) -> Response:
        product_id = answers.parse_product_id(request.parameters["product_id"])
        if product_id is None:
            return not_numeric()
        try:
            ratings = store.parse_ratings(request.body)
            return answers.json(await self._store.put(product_id, ratings))
        except store.InvalidRatingsError as error:
            body = {"error": "please provide valid ratings JSON", "reason": str(error)}
            return answers.json(body, 400)
        except store.ReadOnlyError as error:
            return answers.error(str(error), 501)
        except store.StoreFullError as error:
            return answers.error(str(error), 507)


def not_numeric() -> Response:
    return answers.error("please provide numeric product ID", 400)
