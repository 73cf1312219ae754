"""The reviews themselves, and the JSON shape of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

UNAVAILABLE: Final = "Ratings service is currently unavailable"

TEXTS: Final = {
    "Reviewer1": "Two pairs of twins, one harbour town and not a dull minute. I laughed out loud on the train!",
    "Reviewer2": "Quick, silly and great fun, though the later comedies give their characters more to feel.",
}


class Stars(msgspec.Struct, frozen=True):
    """A rating that was given."""

    stars: int
    color: str


class NoStars(msgspec.Struct, frozen=True):
    """A rating that could not be had."""

    error: str


class Review(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reader's words; `rating` is absent in the version without stars."""

    reviewer: str
    text: str
    rating: Stars | NoStars | None = None


class ProductReviews(msgspec.Struct, frozen=True):
    """The answer to `/reviews/{id}`. As in the sample, `id` is a string and a missing name is the word null."""

    id: str
    podname: str
    clustername: str
    reviews: list[Review]


def reviews_without_ratings() -> list[Review]:
    return [Review(reviewer, text) for reviewer, text in TEXTS.items()]


def reviews_with_ratings(stars: Mapping[str, int], color: str) -> list[Review]:
    """
    Return the reviews with each reviewer's stars.

    Args:
        stars: stars by reviewer; a reviewer it does not name gets the error in place of a rating.
    """
    return [
        Review(reviewer, text, Stars(stars[reviewer], color) if reviewer in stars else NoStars(UNAVAILABLE))
        for reviewer, text in TEXTS.items()
    ]
