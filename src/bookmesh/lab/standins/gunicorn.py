"""
A stand-in for `kennethreitz/httpbin`, the older httpbin: header values are plain texts, each request is logged.

Its image starts as `gunicorn --access-logfile - -b 0.0.0.0:80 httpbin:app`; here the program of that name serves the
same endpoints as `httpbin`, and says what came in the combined log format.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookmesh.lab.standins import httpbin, serving

DEFAULT_PORT: Final = 80
_VALUES: Final = (
    "--access-logfile",
    "-b",
    "--bind",
    "-k",
    "--worker-class",
    "-w",
    "--workers",
    "--error-logfile",
)


def main() -> None:
    """
    Serve on the port of `-b`, by default 80, until SIGTERM.

    Raises:
        SystemExit: 2 for arguments that are not here.
    """
    port = parse(sys.argv[1:])
    sys.argv[1:] = ["--port", str(port)]
    serving.run(create(_print), program="httpbin", default_port=port)


def parse(argv: Sequence[str]) -> int:
    """
    Find the port; what else gunicorn takes makes no difference here.

    Raises:
        SystemExit: 2, an argument is unknown or no port.
    """
    port, waiting = DEFAULT_PORT, list(argv)
    while waiting:
        word = waiting.pop(0)
        name, has_value, value = word.partition("=")
        if name in _VALUES:
            value = value if has_value else (waiting.pop(0) if waiting else "")
            if name in ("-b", "--bind"):
                number = value.rpartition(":")[2]
                if not re.fullmatch(r"\d{1,5}", number) or int(number) > 65535:
                    sys.stderr.write(f"gunicorn: {value!r} is not an address to bind to\n")
                    raise SystemExit(2)
                port = int(number)
        elif word != "httpbin:app":
            known = ", ".join(_VALUES)
            sys.stderr.write(f"gunicorn: {word!r} is not known here; known: httpbin:app, {known}\n")
            raise SystemExit(2)
    return port


def create(log: Callable[[str], None]) -> ASGIApp:
    """Build the application; `log` gets a line for each request."""
    return Classic(httpbin.create(), log)


class Classic:
    """Makes lists of header values and arguments plain, and logs."""

    def __init__(self, app: ASGIApp, log: Callable[[str], None]) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def collect(message: Message) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")

        await self._app(scope, receive, collect)
        headers = dict(start["headers"])
        if headers.get(b"content-type", b"").startswith(b"application/json"):
            body = flatten(body)
            length = (b"content-length", str(len(body)).encode())
            start["headers"] = [each for each in start["headers"] if each[0] != b"content-length"] + [length]
        await send(start)
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        self._log(describe(scope, start["status"], len(body)))


def flatten(body: bytes) -> bytes:
    """Join what go-httpbin lists: `{"headers": {"Host": ["a"]}}` becomes `{"headers": {"Host": "a"}}`."""
    answer: Any = json.loads(body)
    if isinstance(answer, dict):
        for name in ("headers", "args", "form"):
            if isinstance(answer.get(name), dict):
                answer[name] = {
                    key: ",".join(value) if isinstance(value, list) else value
                    for key, value in answer[name].items()
                }
    return json.dumps(answer, indent=2, ensure_ascii=False).encode() + b"\n"


def describe(scope: Scope, status: int, size: int) -> str:
    """One line in the combined log format."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    client = (scope.get("client") or ("-",))[0].removeprefix("::ffff:")
    query = scope["query_string"].decode("latin-1")
    path = scope["path"] + (f"?{query}" if query else "")
    when = f"{datetime.now(UTC):%d/%b/%Y:%H:%M:%S %z}"
    request = f"{scope['method']} {path} HTTP/{scope['http_version']}"
    referer, agent = headers.get("referer", "-"), headers.get("user-agent", "-")
    return f'{client} - - [{when}] "{request}" {status} {size} "{referer}" "{agent}"'


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
