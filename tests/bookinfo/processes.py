"""Services as processes on free loopback ports, and made-up neighbours for them to talk to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

START_S = 30.0
SECRET = "a secret of the tests"


class Process:
    """One of our services, running; its log is in a file."""

    def __init__(self, directory: Path, service: str, label: str, variables: Mapping[str, str]) -> None:
        self.label = label
        self._log = directory / f"{label}.log"
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HOSTNAME": label,
            "SHUTDOWN_DELAY_S": "0",
            **({"SESSION_SECRET": SECRET} if service == "productpage" else {}),
            **variables,
        }
        command = [sys.executable, "-m", "bookinfo", service, "--host", "127.0.0.1", "--port", "0"]
        with self._log.open("wb") as log:
            self._popen = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        self._url = ""

    @property
    def url(self) -> str:
        """Where it listens; waits until it does."""
        deadline = time.monotonic() + START_S
        while not self._url:
            if self._popen.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{self.label} did not start:\n{self._log.read_text()}")
            for line in self.log_lines():
                if line["message"] == "listening":
                    self._url = f"http://127.0.0.1:{line['port']}"
            time.sleep(0.01)
        return self._url

    def log_lines(self) -> list[dict[str, Any]]:
        """Return what it has logged so far: complete lines, all of which must be JSON."""
        text = self._log.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def stop(self) -> int:
        """End it in an orderly way; return the exit code."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        return self._popen.wait(START_S)


def wiring(**urls: str) -> dict[str, str]:
    """Return the variables that make a service find others, as `reviews="http://127.0.0.1:1234"`."""
    variables = {}
    for name, url in urls.items():
        host, _, port = url.removeprefix("http://").partition(":")
        variables |= {f"{name.upper()}_HOSTNAME": host, f"{name.upper()}_SERVICE_PORT": port}
    return variables


@dataclass
class Recorded:
    """A request that a made-up neighbour got; header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Neighbour:
    """A made-up service: answers what it is told and keeps what it was asked."""

    url: str = ""
    status: int = 200
    answer: bytes = b"{}"
    content_type: str = "application/json"
    requests: list[Recorded] = field(default_factory=list)


@contextmanager
def neighbour() -> Iterator[Neighbour]:
    """Serve a made-up service in a thread of this process."""
    made_up = Neighbour()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made_up.requests.append(Recorded(self.command, self.path, headers, body))
            self.send_response(made_up.status)
            self.send_header("content-type", made_up.content_type)
            self.send_header("content-length", str(len(made_up.answer)))
            self.end_headers()
            self.wfile.write(made_up.answer)

        do_GET = do_POST = handle_any

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        block_on_close = False  # services keep their connections open
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    made_up.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made_up
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
