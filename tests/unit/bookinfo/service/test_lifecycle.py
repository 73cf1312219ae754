from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest

from bookinfo.service import answers, application, connections, lifecycle, metrics, settings
from bookinfo.service.answers import Response
from bookinfo.service.requests import Request
from bookinfo.service.routes import Route


class Gate:
    """A handler that answers when it is let."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()

    async def pass_through(self, _request: Request) -> Response:
        self.entered.set()
        await self.opened.wait()
        return answers.text("through")


def build(gate: Gate, *, grace_s: str = "60") -> application.Service:
    environment = settings.Environment({"SHUTDOWN_GRACE_S": grace_s})
    common = settings.read(environment, "example", host=None, port=0)
    routes = [Route("/gate", gate.pass_through)]
    return application.build(common, routes=routes, metrics=metrics.Metrics("example", ""))


async def serve(service: application.Service) -> tuple[lifecycle.Server, asyncio.Task[None], str]:
    listener = lifecycle.listen("127.0.0.1", 0)
    server = lifecycle.Server(service)
    task = asyncio.create_task(server.serve(listener))
    while not service.readiness.is_ready:
        await asyncio.sleep(0.001)
    return server, task, f"http://127.0.0.1:{listener.getsockname()[1]}"


async def can_connect(url: str) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_request_in_flight_finishes_and_new_ones_are_served_during_the_delay() -> None:
    gate = Gate()
    server, task, url = await serve(build(gate))
    async with aiohttp.ClientSession() as client:
        in_flight = asyncio.create_task(client.get(f"{url}/gate"))
        await gate.entered.wait()
        server.stop(3600.0)
        assert (await client.get(f"{url}/readyz")).status == 503
        assert (await client.get(f"{url}/livez")).status == 200
        server._stopping.set()  # the delay is over
        while await can_connect(url):
            await asyncio.sleep(0.01)
        assert not task.done()
        gate.opened.set()
        answer = await in_flight
        assert (answer.status, await answer.text()) == (200, "through")
        await asyncio.wait_for(task, 20)
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(f"{url}/livez")


async def test_connection_made_just_before_the_stop_gets_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "FIRST_REQUEST_S", 60.0)
    server, task, url = await serve(build(Gate()))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    while not server.connections:
        await asyncio.sleep(0.001)
    server.stop(0.0)
    while await can_connect(url):
        await asyncio.sleep(0.001)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer
    writer.close()
    await writer.wait_closed()
    await task


async def test_request_that_outlasts_the_grace_period_does_not_hold_the_process() -> None:
    gate = Gate()
    server, task, url = await serve(build(gate, grace_s="0"))
    async with aiohttp.ClientSession() as client:
        in_flight = asyncio.create_task(client.get(f"{url}/gate"))
        await gate.entered.wait()
        server.stop(0.0)
        await asyncio.wait_for(task, 20)
        in_flight.cancel()
        await asyncio.gather(in_flight, return_exceptions=True)


async def test_second_stop_does_not_wait() -> None:
    gate = Gate()
    server, task, url = await serve(build(gate))
    async with aiohttp.ClientSession() as client:
        in_flight = asyncio.create_task(client.get(f"{url}/gate"))
        await gate.entered.wait()
        server.stop(60.0)
        server.stop(60.0)
        await asyncio.wait_for(task, 20)
        in_flight.cancel()
        await asyncio.gather(in_flight, return_exceptions=True)


async def test_accepted_connection_sends_without_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nagle's algorithm and delayed acknowledgements together cost 40 ms an answer."""
    nodelay: list[int] = []
    made = connections.Connection.connection_made

    def look(connection: connections.Connection, transport: asyncio.BaseTransport) -> None:
        accepted = transport.get_extra_info("socket")
        nodelay.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(connection, transport)

    monkeypatch.setattr(connections.Connection, "connection_made", look)
    server, task, url = await serve(build(Gate()))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readline()
    assert nodelay == [1]
    writer.close()
    await writer.wait_closed()
    server.stop(0.0)
    await task


def test_without_a_host_both_address_families_are_served() -> None:
    with lifecycle.listen(None, 0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), 1):
            pass
        if listener.family == socket.AF_INET6:
            with socket.create_connection(("::1", port), 1):
                pass


def test_without_ipv6_the_service_listens_on_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.create_server

    def without_ipv6(address: tuple[str, int], **options: object) -> socket.socket:
        if options.get("family") == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(address, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    with lifecycle.listen(None, 0) as listener:
        assert listener.family == socket.AF_INET


def test_port_in_use_is_told_with_the_port() -> None:
    with lifecycle.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(lifecycle.ListenError, match=f"cannot listen on 127.0.0.1, port {port}: .*in use"):
            lifecycle.listen("127.0.0.1", port)
