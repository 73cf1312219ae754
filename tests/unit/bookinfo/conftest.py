"""Running a service in a test: on a free port of 127.0.0.1, in the test's own loop, with an HTTP client at hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import pytest
import uvloop

from bookinfo import main
from bookinfo.service import answers, application, lifecycle, metrics
from bookinfo.service import settings as service_settings
from bookinfo.service.answers import Response
from bookinfo.service.requests import Request
from bookinfo.service.routes import Route


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on the loop that the services run on: it calls protocols at other times than asyncio's own does."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    """Services configure the root logger; give pytest its own back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


Start = Callable[[application.Service], Awaitable[str]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Serve any service until the end of the test; returns its base URL."""
    async with AsyncExitStack() as stack:

        async def start_service(service: application.Service) -> str:
            listener = lifecycle.listen("127.0.0.1", 0)
            server = lifecycle.Server(service)
            task = asyncio.create_task(server.serve(listener))

            async def finish() -> None:
                server.stop(0.0)
                server.stop(0.0)  # without waiting; the orderly end has tests of its own
                await task

            stack.push_async_callback(finish)
            while not service.readiness.is_ready and not task.done():
                await asyncio.sleep(0.001)
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield start_service


@pytest.fixture
def start_named(start: Start) -> Callable[..., Awaitable[str]]:
    """Serve one of the four by name, with environment variables as keyword arguments."""

    async def start_one(name: str, **variables: str) -> str:
        return await start(
            main.create_service(name, {"LOG_LEVEL": "error", "HOSTNAME": "pod-1", **variables})
        )

    return start_one


@dataclass
class Backend:
    """A service that a test makes up: answers what it is told and remembers what it was asked."""

    host: str = ""
    port: str = ""
    status: int = 200
    body: str = "{}"
    hangs: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)

    def env(self, *names: str) -> dict[str, str]:
        """Return the variables that make a service use this one in place of the named ones."""
        return {
            key: value
            for name in names
            for key, value in (
                (f"{name.upper()}_HOSTNAME", self.host),
                (f"{name.upper()}_SERVICE_PORT", self.port),
            )
        }

    async def answer(self, request: Request) -> Response:
        self.seen.append(request)
        if self.hangs:
            await asyncio.Event().wait()  # until the client goes away
        return Response(self.body.encode(), self.status, answers.JSON + answers.encode_fields(self.headers))

    def sent(self, position: int = 0) -> dict[str, str]:
        """Return the headers of a request it has seen."""
        return {name.decode(): value.decode() for name, value in self.seen[position].headers}


@pytest.fixture
async def backend(start: Start) -> Backend:
    made_up = Backend()
    settings = service_settings.read(
        service_settings.Environment({"HOSTNAME": "backend-v7-abc"}), "backend", host=None, port=0
    )
    paths = ["/" + "/".join("{" + name + "}" for name in "abc"[:depth]) for depth in range(4)]
    routes = [Route(path, made_up.answer) for path in paths]
    url = await start(application.build(settings, routes=routes, metrics=metrics.Metrics("backend", "")))
    made_up.host, _, made_up.port = url.removeprefix("http://").partition(":")
    return made_up
