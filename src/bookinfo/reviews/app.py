"""The HTTP side of reviews: `/reviews/{id}` and `/health`, and the call to ratings."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bookinfo.reviews import settings as reviews_settings
from bookinfo.reviews import texts
from bookinfo.service import answers, application, headers, logs, upstream
from bookinfo.service.metrics import Metrics
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


async def root(_request: Request) -> Response:
    return PlainTextResponse("reviews")


async def health(_request: Request) -> Response:
    return answers.JsonResponse({"status": "Reviews is healthy"})


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
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Hold the connections to ratings open; none in the version that never asks."""
        if not self._settings.has_ratings:
            yield
            return
        async with upstream.open_session(reuse_connections=self._settings.reuse_connections) as session:
            self._ratings = upstream.Upstream(
                session, base_url=self._settings.ratings_url, timeout_s=self._settings.ratings_timeout_s
            )
            yield

    async def read(self, request: Request) -> Response:
        product_id = answers.parse_product_id(request.path_params["product_id"])
        if product_id is None:
            return answers.error("please provide numeric product id", 404)
        if self._ratings is None:
            reviews = texts.reviews_without_ratings()
        else:
            outgoing = headers.propagated_headers(request.scope["headers"])
            stars = await self._stars(self._ratings, product_id, outgoing)
            reviews = texts.reviews_with_ratings(stars, self._settings.star_color)
        return answers.JsonResponse(
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
