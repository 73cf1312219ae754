"""A request as handlers see it: complete, its body included, and within the limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from bookinfo.service import tracing

Address = tuple[str, int]
"""IP address and port."""

UNMATCHED: Final = "unmatched"
"""Route of a request that no route serves."""

NO_PARAMETERS: Final[Mapping[str, str]] = {}


class Request(msgspec.Struct, eq=False):
    """One request. Names of headers are lower-case."""

    method: str
    path: str
    """Decoded, so a slash in it may have been `%2f`."""
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = []
    """All lines, in order of arrival."""
    version: str = "1.1"
    is_kept_alive: bool = True
    """Whether the client may send another request on the same connection."""
    client: Address | None = None
    server: Address | None = None
    began: float = 0.0
    """When its headers were complete, by `time.monotonic`."""
    body: bytes = b""
    route: str = UNMATCHED
    """The path of the route that serves it, such as `/details/{product_id}`."""
    parameters: Mapping[str, str] = NO_PARAMETERS
    """What the path has in the places of the route's names."""
    span: tracing.Serving | None = None
    is_overdue: bool = False
    """Set when it is cancelled because it took too long."""
    fields: dict[bytes, bytes] = {}
    """The headers by name, made from them; of one that is repeated, the first line counts."""

    def __post_init__(self) -> None:
        self.fields = dict(reversed(self.headers))

    def header(self, name: str) -> str | None:
        """Return the value of a header, its first line; None if it is not there."""
        value = self.fields.get(name.encode("ascii"))
        return None if value is None else value.decode("latin-1")

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie; None if it was not sent."""
        for header, line in self.headers:
            if header != b"cookie":
                continue
            for pair in line.decode("latin-1").split(";"):
                key, equals, value = pair.partition("=")
                if equals and key.strip() == name:
                    return value.strip()
        return None

    def argument(self, name: str) -> str | None:
        """Return the first value of a name in the query; None if it is not there."""
        pairs = parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)
        return next((value for key, value in pairs if key == name), None)
