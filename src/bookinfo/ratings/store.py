"""What ratings are, which bodies are accepted as ratings, and what every place that keeps them can do."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Final, Protocol

import msgspec

MOST_REVIEWERS: Final = 100

Stars = Annotated[int, msgspec.Meta(ge=0, le=5)]
Reviewer = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class ProductRatings(msgspec.Struct, frozen=True):
    """The answer to `/ratings/{id}`: stars by reviewer."""

    id: int
    ratings: dict[str, int]


class StoreFullError(Exception):
    """There are as many products as the store takes."""


class ReadOnlyError(Exception):
    """Ratings are kept where this service may not change them."""


class UnavailableError(Exception):
    """
    Ratings cannot be had now; later they may.

    Attributes:
        answer: what the client is told, in the words of Istio's sample.
        reason: what the log is told; it may name hosts and users, but no password.
    """

    def __init__(self, answer: str, reason: str) -> None:
        super().__init__(f"{answer}: {reason}")
        self.answer = answer
        self.reason = reason


class InvalidRatingsError(ValueError):
    """A posted body is not a JSON object of reviewer names and stars; the text says what is wrong."""


class RatingsStore(Protocol):
    """A place that keeps ratings."""

    def open(self) -> AbstractAsyncContextManager[None]:
        """Hold what the store needs while requests are served. Succeeds also when a database is away."""

    def at_hand(self, product_id: int) -> ProductRatings | None:
        """Return the ratings of a product if that takes no waiting; None: `get` has to be asked."""

    async def get(self, product_id: int) -> ProductRatings:
        """
        Return the ratings of a product.

        Raises:
            UnavailableError: the database cannot be reached, or gave no usable answer.
        """

    async def put(self, product_id: int, ratings: dict[str, int]) -> ProductRatings:
        """
        Replace the ratings of a product.

        Raises:
            StoreFullError: the product is new and there are too many already.
            ReadOnlyError: this store is for reading.
        """


_DECODER: Final = msgspec.json.Decoder(dict[Reviewer, Stars])


def parse_ratings(body: bytes) -> dict[str, int]:
    """
    Return stars by reviewer from a body such as `{"Reviewer1": 5}`.

    Raises:
        InvalidRatingsError: with the reason.
    """
    try:
        ratings = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRatingsError(str(error)) from error
    if len(ratings) > MOST_REVIEWERS:
        raise InvalidRatingsError(f"more than {MOST_REVIEWERS} reviewers")
    return ratings
