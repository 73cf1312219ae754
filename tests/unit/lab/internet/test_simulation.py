"""What the simulated Internet does when its servers do not start; that they serve is seen in the lab's tests."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import dns.message
import pytest

from bookmesh.kube.sandbox.forking import SandboxError
from bookmesh.lab.internet import authority, hosts, simulation

T = TypeVar("T")


class FakeNamespace:
    fd = -1

    @classmethod
    def create(cls) -> FakeNamespace:
        return cls()

    def run(self, function: Callable[[], T]) -> T | None:
        """Whatever would change this machine's own network is left out."""
        return None if function.__name__ == "_hand_connections_over" else function()

    def close(self) -> None:
        pass


class FakeNode:
    def attach(self, namespace: FakeNamespace, address: str) -> None:
        pass

    def add_addresses(self, namespace: FakeNamespace, of: str, addresses: Sequence[str]) -> None:
        pass


class BrokenForks:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def run(self, spec: Any, **_descriptors: int) -> None:
        self.asked.append(spec.name)
        raise SandboxError("no more processes")


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
    return number


async def test_servers_that_do_not_start_are_reported_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int
) -> None:
    monkeypatch.setattr(simulation, "NetworkNamespace", FakeNamespace)
    monkeypatch.setattr(simulation, "_RESTART_S", 0.01)
    monkeypatch.setattr(simulation, "_ANSWER_WITHIN_S", 0.01)
    forks = BrokenForks()
    own = hosts.parse(f"- {{names: [a.example], http: [{port}], https: []}}", where="")
    simulated = simulation.Simulation(
        cast(Any, FakeNode()),
        cast(Any, forks),
        hosts.arrange((), own),
        authority.Authority.ensure(tmp_path),
        envoy=Path("/opt/envoy"),
        log=tmp_path / "internet.log",
    )
    task = asyncio.create_task(simulated.run())
    try:
        await simulated.resolve(dns.message.make_query("nowhere.example", "A"))
        assert forks.asked == []  # nobody wants anything that is there
        answer = await simulated.resolve(dns.message.make_query("a.example", "A"))
        assert len(answer.answer) == 1
        async with asyncio.timeout(20):
            while len(forks.asked) < 2:
                await asyncio.sleep(0.01)
        codes = [finding.code for finding in simulated.findings()]
        assert codes == ["BM0342", "BM0341"]
        assert "no more processes" in simulated.findings()[0].message
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
