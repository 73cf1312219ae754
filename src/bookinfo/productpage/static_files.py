"""
Style sheet and pictures, read once at the start and served from memory.

Pages refer to a file with a hash of its content in the query, so browsers may keep it for ever and still see a new
one at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

from bookinfo.service import answers
from bookinfo.service.answers import Response
from bookinfo.service.requests import Request
from bookinfo.service.routes import Route

CONTENT_TYPES: Final = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

FOREVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    content_type: str
    digest: str


class StaticFiles:
    """All files of the package's `static` directory."""

    def __init__(self) -> None:
        self._files: dict[str, StaticFile] = {}
        for entry in resources.files("bookinfo.productpage").joinpath("static").iterdir():
            suffix = entry.name[entry.name.rfind(".") :]
            if suffix in CONTENT_TYPES:
                content = entry.read_bytes()
                digest = hashlib.sha256(content).hexdigest()[:16]
                self._files[entry.name] = StaticFile(content, CONTENT_TYPES[suffix], digest)

    def url(self, name: str) -> str:
        """
        Return a relative URL, so that it works below any path prefix.

        Raises:
            KeyError: there is no such file.
        """
        return f"static/{name}?v={self._files[name].digest}"

    def route(self) -> Route:
        return Route("/static/{name}", self.serve)

    def serve(self, request: Request) -> Response:
        file = self._files.get(request.parameters["name"])
        if file is None:
            return answers.error("no such file", 404)
        is_versioned = request.argument("v") == file.digest
        headers = {
            "etag": f'"{file.digest}"',
            "cache-control": FOREVER if is_versioned else ASK_AGAIN,
            "content-type": file.content_type,
            "x-content-type-options": "nosniff",
        }
        if request.header("if-none-match") == headers["etag"]:
            return Response(b"", 304, answers.encode_fields(headers))
        return Response(file.content, 200, answers.encode_fields(headers))
