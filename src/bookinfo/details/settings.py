"""What tells details v1 and v2 apart: whose books they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bookinfo.service.settings import Environment

HOST: Final = "www.googleapis.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsSettings:
    """Settings of details alone."""

    book_service_url: str | None
    """Base URL of the external service; None for the built-in book."""


def read(environment: Environment) -> DetailsSettings:
    """
    Read them: ENABLE_EXTERNAL_BOOK_SERVICE, and DO_NOT_ENCRYPT for a mesh that encrypts what leaves it.

    Raises:
        SettingError: a variable has a value that cannot be used.
    """
    is_external = environment.flag("ENABLE_EXTERNAL_BOOK_SERVICE", default=False)
    scheme = "http" if environment.flag("DO_NOT_ENCRYPT", default=False) else "https"
    return DetailsSettings(book_service_url=f"{scheme}://{HOST}" if is_external else None)
