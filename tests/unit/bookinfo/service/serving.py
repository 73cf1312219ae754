"""A service with handlers of all kinds for the tests of the server, and a client of which every byte is the test's."""

from __future__ import annotations

import asyncio

from bookinfo.service import answers, application, metrics, settings
from bookinfo.service.answers import Response
from bookinfo.service.requests import Request
from bookinfo.service.routes import Route

LARGE = 100_000
LIMIT_S = 20.0


class Example:
    """Handlers, and what became of them."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.gate = asyncio.Event()
        self.metrics = metrics.Metrics("example", "")

    def build(self, **variables: str) -> application.Service:
        common = settings.read(
            settings.Environment({"HOSTNAME": "pod-1", **variables}), "example", host=None, port=0
        )
        routes = [
            Route("/hello", lambda _request: answers.text("hello")),
            Route("/echo", self.echo, methods=("POST", "PUT")),
            Route("/large", lambda _request: Response(b"x" * LARGE)),
            Route("/slow/{name}", self.slow),
            Route("/empty", lambda _request: Response(b"", 204)),
        ]
        return application.build(common, routes=routes, metrics=self.metrics)

    def echo(self, request: Request) -> Response:
        return Response(request.body)

    async def slow(self, request: Request) -> Response:
        name = request.parameters["name"]
        self.begun.append(name)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        return answers.text(name)


def get(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


async def converse(port: int, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Send parts and return all that comes until the server closes; empty if it resets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        async with asyncio.timeout(LIMIT_S):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        await asyncio.wait({asyncio.create_task(writer.wait_closed())})


async def read_answer(
    reader: asyncio.StreamReader, *, has_body: bool = True
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers with lower-case names, and body."""
    async with asyncio.timeout(LIMIT_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(fields.get("content-length", "0"))) if has_body else b""
        return int(first.split(" ")[1]), fields, body


async def eventually(condition: object) -> None:
    """Wait until a function returns something true."""
    assert callable(condition)
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.002)
