"""A request as handlers see it: complete, its body included, and within the limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from bookinfo.service import headers, tracing

Address = tuple[str, int]
"""IP address and port."""

UNMATCHED: Final = "unmatched"
"""Route of a request that no route serves."""

NO_PARAMETERS: Final[Mapping[str, str]] = {}


class Request:
    """One request. Names of headers are lower-case; of a header that is repeated, `fields` has the first line."""

    __slots__ = (
        "began",
        "body",
        "client",
        "fields",
        "headers",
        "is_kept_alive",
        "is_overdue",
        "method",
        "parameters",
        "path",
        "query",
        "route",
        "server",
        "span",
        "version",
    )

    def __init__(
        self,
        method: str,
        path: str,
        *,
        query: bytes = b"",
        raw_headers: headers.RawHeaders = (),
        version: str = "1.1",
        is_kept_alive: bool = True,
        client: Address | None = None,
        server: Address | None = None,
        began: float = 0.0,
    ) -> None:
        self.method = method
        self.path = path
        """Decoded, so a slash in it may have been `%2f`."""
        self.query = query
        self.headers = list(raw_headers)
        self.fields = dict(reversed(self.headers))
        self.body = b""
        self.version = version
        self.is_kept_alive = is_kept_alive
        """Whether the client may send another request on the same connection."""
        self.client = client
        self.server = server
        self.began = began
        """When its headers were complete, by `time.monotonic`."""
        self.route = UNMATCHED
        """The path of the route that serves it, such as `/details/{product_id}`."""
        self.parameters = NO_PARAMETERS
        """What the path has in the places of the route's names."""
        self.span: tracing.Serving | None = None
        self.is_overdue = False
        """Set when it is cancelled because it took too long."""

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
