"""
`/openapi.json`: what a service offers, for programs. Each package keeps a document of its own paths beside its code;
what all services offer is in this package's and is put in when somebody asks.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec

from bookinfo.service import answers
from bookinfo.service.answers import Response
from bookinfo.service.requests import Request
from bookinfo.service.routes import Route

FILE: Final = "openapi.json"

Document = dict[str, Any]


def route(package: str) -> Route:
    """Return `/openapi.json`, which answers 404 for a package without a document."""

    def openapi(_request: Request) -> Response:
        document = document_for(package)
        return answers.error("no such file", 404) if document is None else answers.json(document)

    return Route("/openapi.json", openapi)


@cache
def document_for(package: str) -> Document | None:
    """Return the whole document of a service such as `bookinfo.ratings`; None if it has none."""
    own, common = _read(package), _read("bookinfo.service")
    if own is None or common is None:
        return None
    own["paths"] |= common["paths"]
    for kind, members in common["components"].items():
        own.setdefault("components", {}).setdefault(kind, {}).update(members)
    return own


def _read(package: str) -> Document | None:
    from importlib import resources  # what few ask for is not worth the memory of every service

    try:
        text = resources.files(package).joinpath(FILE).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        return None
    return msgspec.json.decode(text, type=Document)
