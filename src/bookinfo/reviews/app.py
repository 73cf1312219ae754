"""The HTTP side of reviews: `/reviews/{id}` and `/health`, and the call to ratings."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from bookinfo.reviews import settings as reviews_settings
from bookinfo.reviews import texts
from bookinfo.service import answers, application, headers, logs, upstream
from bookinfo.service.answers import Response
from bookinfo.service.metrics import Metrics
from bookinfo.service.requests import Request
from bookinfo.service.routes import Outcome, Route
from bookinfo.service.settings import Environment, ServiceSettings

LOGGER: Final = logging.getLogger("bookinfo.reviews")


class RatingsAnswer(msgspec.Struct):
    """What ratings answers, as far as this service looks."""

    ratings: dict[str, int] = {}


_DECODER: Final = msgspec.json.Decoder(RatingsAnswer)


def create(environment: Environment, common: ServiceSettings) -> application.Service:
    """
    Build the service.

    Raises:
        SettingError: a variable has a value that cannot be used.
    """
    metrics = Metrics(common.name, common.version)
    reviews = Reviews(common, reviews_settings.read(environment, common.version), metrics)
    routes = [Route("/", root), Route("/health", health), Route("/reviews/{product_id}", reviews.read)]
    return application.build(common, routes=routes, metrics=metrics, lifespan=reviews.lifespan)


def root(_request: Request) -> Response:
    return answers.text("reviews")


def health(_request: Request) -> Response:
    return answers.json({"status": "Reviews is healthy"})


class Reviews:
    """The handler, with the connection to ratings that it needs."""

    def __init__(
        self, common: ServiceSettings, settings: reviews_settings.ReviewsSettings, metrics: Metrics
    ) -> None:
        self._common = common
        self._settings = settings
        self._metrics = metrics
        self._ratings: upstream.Upstream | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Hold the connections to ratings open; none in the version that never asks."""
        if not self._settings.has_ratings:
            yield
            return
        self._ratings = upstream.Upstream(
            base_url=self._settings.ratings_url,
            timeout_s=self._settings.ratings_timeout_s,
            reuse_connections=self._settings.reuse_connections,
        )
        try:
            yield
        finally:
            self._ratings.close()

    def read(self, request: Request) -> Outcome:
        product_id = answers.parse_product_id(request.parameters["product_id"])
        if product_id is None:
            return answers.error("please provide numeric product id", 404)
        if self._ratings is None:
            return self._answer(product_id, texts.reviews_without_ratings())
        return self._read_with_ratings(self._ratings, product_id, request)

    async def _read_with_ratings(
        self, ratings: upstream.Upstream, product_id: int, request: Request
    ) -> Response:
        stars = await self._stars(ratings, product_id, headers.propagated_headers(request.headers))
        return self._answer(product_id, texts.reviews_with_ratings(stars, self._settings.star_color))

    def _answer(self, product_id: int, reviews: list[texts.Review]) -> Response:
        return answers.json(
            texts.ProductReviews(
                id=str(product_id),
                podname=self._common.pod,
                clustername=self._common.cluster or "null",
                reviews=reviews,
            )
        )

    async def _stars(
        self, ratings: upstream.Upstream, product_id: int, outgoing: Mapping[str, str]
    ) -> Mapping[str, int]:
        """Return stars by reviewer; empty, with the reason in the log, if ratings cannot tell."""
        try:
            answer = await ratings.get(f"/ratings/{product_id}", outgoing)
        except upstream.NoAnswerError as error:
            return self._without_stars(500, str(error))
        if answer.status != 200:
            return self._without_stars(answer.status, f"ratings answered with status {answer.status}")
        try:
            stars = _DECODER.decode(answer.body).ratings
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return self._without_stars(500, f"ratings gave an answer that cannot be read: {error}")
        self._metrics.called(service="ratings", status=200)
        return stars

    def _without_stars(self, status: int, reason: str) -> Mapping[str, int]:
        self._metrics.called(service="ratings", status=status)
        LOGGER.warning("no ratings", extra={logs.FIELDS: {"reason": reason}})
        return {}
