"""
A stand-in for `mccutchen/go-httpbin`: the endpoints that say what a request looked like, or answer as asked.

Not here: compression, streaming, images, caching, digest and bearer authentication, websockets; they answer 404, never
something made up. There is no health endpoint, because the original has none.
"""

from __future__ import annotations

import html
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookmesh.lab.standins import answering, echoing, serving

DEFAULT_PORT: Final = 8080
MAX_BODY_BYTES: Final = 1024 * 1024

EVERY_METHOD: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

Handler = Callable[[Request], Awaitable[Response]]

INDEX_HTML: Final = """<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>httpbin stand-in</title></head>
  <body>
    <h1>httpbin stand-in</h1>
    <ul>
%s
    </ul>
  </body>
</html>
"""


def main() -> None:
    """Serve on `--port`, `$PORT` or 8080 until SIGTERM."""
    serving.run(create(), program="httpbin", default_port=DEFAULT_PORT)


def create() -> ASGIApp:
    """Build the application."""
    routes = [
        Route("/", index),
        Route("/get", get),
        *[
            Route(f"/{method.lower()}", echoing.with_body, methods=[method])
            for method in ("POST", "PUT", "PATCH", "DELETE")
        ],
        Route("/anything", echoing.with_body, methods=[*EVERY_METHOD]),
        Route("/anything/{rest:path}", echoing.with_body, methods=[*EVERY_METHOD]),
        *every_method("/headers", show_headers),
        *every_method("/ip", show_ip),
        *every_method("/user-agent", show_user_agent),
        *every_method("/hostname", show_hostname),
        *every_method("/response-headers", answering.response_headers),
        *every_method("/status/{codes}", answering.status),
        *every_method("/delay/{duration}", answering.delay),
        *every_method("/redirect/{count}", answering.redirect),
        *every_method("/relative-redirect/{count}", answering.redirect),
        *every_method("/absolute-redirect/{count}", answering.absolute_redirect),
        *every_method("/redirect-to", answering.redirect_to),
        *every_method("/cookies", answering.cookies),
        *every_method("/cookies/set", answering.set_cookies),
        *every_method("/cookies/delete", answering.delete_cookies),
        *every_method("/basic-auth/{user}/{password}", answering.basic_auth),
        *every_method("/bytes/{count}", answering.random_bytes),
        *every_method("/html", answering.sample_html),
        *every_method("/json", answering.sample_json),
        *every_method("/uuid", answering.random_uuid),
    ]
    return Conventions(Starlette(routes=routes, exception_handlers={HTTPException: refused}))


def every_method(path: str, handler: Handler) -> list[Route]:
    return [Route(path, handler, methods=[*EVERY_METHOD])]


class Conventions:
    """What the original does to all requests: allow other sites' scripts, and bound the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        added = [
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-allow-origin", asked.get(b"origin") or b"*"),
        ]
        received_bytes = 0

        async def receive_bounded() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        async def send_with_added(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        if scope["method"] == "OPTIONS":
            added += preflight_headers(asked)
            await Response(status_code=200)(scope, receive, send_with_added)
            return
        await self._app(scope, receive_bounded, send_with_added)


def preflight_headers(asked: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Return what a browser wants to hear before it sends a script's request."""
    headers = [
        (b"access-control-allow-methods", b"GET, POST, HEAD, PUT, DELETE, PATCH, OPTIONS"),
        (b"access-control-max-age", b"3600"),
    ]
    wanted = asked.get(b"access-control-request-headers")
    return [*headers, (b"access-control-allow-headers", wanted)] if wanted else headers


async def refused(_request: Request, error: Exception) -> Response:
    """Answer with go-httpbin's error shape."""
    assert isinstance(error, HTTPException)  # registered for this class only  # noqa: S101
    response = echoing.failure(error.status_code)
    response.headers.update(error.headers or {})
    return response


async def index(request: Request) -> Response:
    paths = sorted({route.path for route in request.app.routes if isinstance(route, Route)})
    items = "\n".join(f"      <li><code>{html.escape(path)}</code></li>" for path in paths)
    return Response(INDEX_HTML % items, media_type=echoing.HTML_TYPE)


async def get(request: Request) -> Response:
    return echoing.json_answer(echoing.describe(request))


async def show_headers(request: Request) -> Response:
    return echoing.json_answer({"headers": echoing.header_values(request)})


async def show_ip(request: Request) -> Response:
    return echoing.json_answer({"origin": echoing.origin(request)})


async def show_user_agent(request: Request) -> Response:
    return echoing.json_answer({"user-agent": request.headers.get("user-agent", "")})


async def show_hostname(_request: Request) -> Response:
    return echoing.json_answer({"hostname": socket.gethostname()})
