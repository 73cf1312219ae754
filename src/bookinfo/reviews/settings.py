"""What tells reviews v1, v2 and v3 apart: whether there are stars, and their colour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bookinfo.service.settings import Environment, SettingError

COLOR: Final = re.compile(r"[a-z]{1,20}")

RATINGS_TIMEOUT_S: Final = 10.0
RATINGS_TIMEOUT_COLORED_S: Final = 2.5
"""
How long to wait for ratings, by colour. Black stars (v2) wait longer than productpage waits for reviews: the mistake
that Istio's fault-injection task finds. Red stars (v3) have it mended.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsSettings:
    """Settings of reviews alone."""

    has_ratings: bool
    star_color: str
    """A lower-case colour word, such as black or red."""
    ratings_url: str
    ratings_timeout_s: float
    reuse_connections: bool


def read(environment: Environment, version: str) -> ReviewsSettings:
    """
    Read them. ENABLE_RATINGS and STAR_COLOR default to what the version (SERVICE_VERSION) of the sample does.

    Raises:
        SettingError: a variable has a value that cannot be used.
    """
    color = environment.text("STAR_COLOR", "red" if version == "v3" else "black")
    if not COLOR.fullmatch(color):
        raise SettingError("STAR_COLOR", color, "a colour in lower-case letters, such as black or red")
    return ReviewsSettings(
        has_ratings=environment.flag("ENABLE_RATINGS", default=version in {"v2", "v3"}),
        star_color=color,
        ratings_url=environment.base_url("ratings"),
        ratings_timeout_s=RATINGS_TIMEOUT_S if color == "black" else RATINGS_TIMEOUT_COLORED_S,
        reuse_connections=environment.flag("REUSE_CONNECTIONS", default=True),
    )
