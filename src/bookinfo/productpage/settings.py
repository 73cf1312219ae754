"""Settings of productpage alone: where the other services are, how to treat connections, how to sign sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bookinfo.service.settings import Environment, SettingError

SHORTEST_SECRET: Final = 16
MOST_FLOOD: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """Base URLs such as `http://details:9080`, and what else only this service needs."""

    details_url: str
    reviews_url: str
    ratings_url: str
    flood_factor: int
    """How many additional calls to reviews each page makes, to show rate limits at work."""
    reuse_connections: bool
    session_secret: bytes | None
    """None: make one up, so that sessions end with the process."""


def read(environment: Environment) -> PageSettings:
    """
    Read them.

    Raises:
        SettingError: a variable has a value that cannot be used.
    """
    secret = environment.optional("SESSION_SECRET")
    if secret is not None and len(secret) < SHORTEST_SECRET:
        raise SettingError("SESSION_SECRET", "***", f"at least {SHORTEST_SECRET} characters")
    return PageSettings(
        details_url=environment.base_url("details"),
        reviews_url=environment.base_url("reviews"),
        ratings_url=environment.base_url("ratings"),
        flood_factor=environment.integer("FLOOD_FACTOR", 0, minimum=0, maximum=MOST_FLOOD),
        reuse_connections=environment.flag("REUSE_CONNECTIONS", default=True),
        session_secret=None if secret is None else secret.encode("utf-8"),
    )
