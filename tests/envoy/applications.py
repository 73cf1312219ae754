"""Small HTTP servers that stand for applications, and a client that does not follow redirects."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append(self.path)  # type: ignore[attr-defined]
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        headers = {name: ",".join(self.headers.get_all(name) or ()) for name in self.headers}
        time.sleep(float(query.get("delay", ["0"])[0]))
        seen = {"application": self.server.server_name, "path": self.path, "headers": headers}
        body = json.dumps(seen).encode()
        self.send_response(int(query.get("status", ["200"])[0]))
        self.send_header("content-length", str(len(body)))
        self.send_header("x-application", self.server.server_name)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Recording:
    """A running application: its port on 127.0.0.1, and the paths it was asked for."""

    port: int
    requests: list[str]


@contextmanager
def recording(name: str) -> Iterator[Recording]:
    """A server that answers with what it was asked, after `?delay=` seconds, with `?status=`."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.server_name = name
        server.requests = []  # type: ignore[attr-defined]
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Recording(server.server_address[1], server.requests)  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def application(name: str) -> Iterator[int]:
    """A server that answers with what it was asked; yields its port on 127.0.0.1."""
    with recording(name) as server:
        yield server.port


@dataclass(frozen=True)
class Answer:
    """An HTTP response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def seen(self) -> dict[str, object]:
        """What the application saw."""
        found: dict[str, object] = json.loads(self.body)
        return found


def wait_until(condition: Callable[[], bool], *, within_s: float = 60) -> None:
    """Poll until a condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.01)


def get(port: int, path: str, *, method: str = "GET", **headers: str) -> Answer:
    """Send one request to 127.0.0.1; `_` in names of headers stands for `-`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read().decode())
    finally:
        connection.close()
