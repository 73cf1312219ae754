from __future__ import annotations

import asyncio
import socket

import pytest
from tests.local_ports import free_port
from tests.unit.bookinfo.service.scripted import OK, Script, Server, Visit, serving

from bookinfo.service import asking, pooling

ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def answer_always(visit: Visit) -> None:
    while True:
        await visit.request()
        await visit.send(OK)


def answer_once_and_close(*, first: int = 1) -> Script:
    """The first connections answer one request and close before they answer the second."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK)
        if visit.number < first:
            await visit.request()
            return
        await answer_always(visit)

    return script


def pool(server: Server, *, reuse_connections: bool = True) -> pooling.Pool:
    return pooling.Pool("127.0.0.1", server.port, reuse_connections=reuse_connections)


async def test_a_connection_is_used_again() -> None:
    async with serving(answer_always) as server:
        connections = pool(server)
        for _ in range(5):
            assert (await connections.ask(ASK)).body == b"ok"
        assert server.visits == 1
        connections.close()


async def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    async with serving(answer_always) as server:
        connections = pool(server)
        for _ in range(3):
            await asyncio.gather(*(connections.ask(ASK) for _ in range(4)))
        assert server.visits == 4
        connections.close()


async def test_a_kept_connection_that_ends_under_a_request_is_replaced() -> None:
    async with serving(answer_once_and_close()) as server:
        connections = pool(server)
        for _ in range(3):
            assert (await connections.ask(ASK)).body == b"ok"
        assert server.visits == 2
        connections.close()


async def test_a_fresh_connection_that_ends_is_not_tried_again() -> None:
    async def script(visit: Visit) -> None:
        await visit.request()

    async with serving(script) as server:
        with pytest.raises(asking.NothingReceivedError):
            await pool(server).ask(ASK)
        assert server.visits == 1


async def test_a_request_that_was_answered_in_part_is_not_tried_again() -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK)
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\n")

    async with serving(script) as server:
        connections = pool(server)
        await connections.ask(ASK)
        with pytest.raises(asking.AnswerError, match="broke off"):
            await connections.ask(ASK)
        assert server.visits == 1


async def test_a_connection_that_ended_while_it_was_kept_is_forgotten() -> None:
    closing = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK)
        await closing.wait()

    async with serving(script) as server:
        connections = pool(server)
        await connections.ask(ASK)
        assert len(connections._kept) == 1
        closing.set()
        async with asyncio.timeout(20):
            while connections._kept:
                await asyncio.sleep(0.001)


async def test_what_nobody_asked_for_is_no_answer_to_the_next_request() -> None:
    sent = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK)
        if visit.number == 0:
            await visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", pause_s=0.01)
            sent.set()
        await visit.request()

    async with serving(script) as server:
        connections = pool(server)
        await connections.ask(ASK)
        await sent.wait()
        async with asyncio.timeout(20):
            while connections._kept:
                await asyncio.sleep(0.001)
        assert (await connections.ask(ASK)).body == b"ok"
        connections.close()


async def test_what_follows_an_answer_is_no_part_of_the_next() -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nev")
        await visit.request()
        await visit.send(b"il" + OK)

    async with serving(script) as server:
        connections = pool(server)
        for _ in range(3):
            assert (await connections.ask(ASK)).body == b"ok"
        assert server.visits == 3


async def test_a_cancelled_request_takes_its_connection_along() -> None:
    """Else its answer would be taken for that of the next request."""

    asked = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        if visit.number == 0:
            asked.set()
            await visit.request()
        await visit.send(OK)

    async with serving(script) as server:
        connections = pool(server)
        asking_first = asyncio.create_task(connections.ask(ASK))
        await asked.wait()
        asking_first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking_first
        assert (await connections.ask(ASK)).body == b"ok"
        assert server.visits == 2
        connections.close()


async def test_old_connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "IDLE_S", 0.0)
    async with serving(answer_always) as server:
        connections = pool(server)
        await connections.ask(ASK)
        await connections.ask(ASK)
        assert server.visits == 2
        connections.close()


async def test_connections_are_not_kept_if_so_wished() -> None:
    async with serving(answer_always) as server:
        connections = pool(server, reuse_connections=False)
        for _ in range(3):
            await connections.ask(ASK)
        assert server.visits == 3


async def test_there_are_never_more_connections_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooling, "MOST_CONNECTIONS", 3)
    async with serving(answer_always) as server:
        connections = pool(server)
        answers = await asyncio.gather(*(connections.ask(ASK) for _ in range(50)))
        assert [answer.body for answer in answers] == [b"ok"] * 50
        assert server.visits <= 3
        connections.close()


async def test_the_next_address_is_tried_and_the_name_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []
    async with serving(answer_always) as server:

        async def look_up(host: str, port: int, **_options: object) -> list[object]:
            looked_up.append(host)
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("127.0.0.2", "127.0.0.1")
            ]

        connections = pooling.Pool("ratings", server.port, reuse_connections=False)
        monkeypatch.setattr(pooling, "look_up", look_up)
        await asyncio.gather(*(connections.ask(ASK) for _ in range(3)))
        assert looked_up == ["ratings"]
        monkeypatch.setattr(connections, "_known_until", 0.0)
        await connections.ask(ASK)
        assert looked_up == ["ratings", "ratings"]


async def test_a_name_that_is_not_known_is_an_error_of_the_system() -> None:
    with pytest.raises(socket.gaierror):
        await pooling.Pool("no-such-name.invalid", 80, reuse_connections=True).ask(ASK)


async def test_a_service_that_is_not_there_is_looked_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    connections = pooling.Pool("127.0.0.1", free_port(), reuse_connections=True)
    with pytest.raises(ConnectionRefusedError):
        await connections.ask(ASK)
    assert connections._known_until == 0.0
