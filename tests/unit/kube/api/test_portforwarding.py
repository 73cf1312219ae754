"""Ports in the query; the tunnel itself is tested with real clients."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import portforwarding


async def test_ports() -> None:
    assert portforwarding.parse_ports(request_for("GET", "/x?ports=80,81&ports=82")) == [80, 81, 82]
    assert portforwarding.parse_ports(request_for("GET", "/x")) == []


@pytest.mark.parametrize("ports", ["http", "0", "70000", "80,"])
async def test_ports_that_are_none(ports: str) -> None:
    with pytest.raises(ApiError):
        portforwarding.parse_ports(request_for("GET", f"/x?ports={ports}"))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "connect: connection refused"),
        (OSError("no way"), "to pod: no way"),
        (ApiError(400, "BadRequest", "pod web does not run on this node"), "pod web does not run"),
    ],
)
def test_why_a_connection_cannot_be_made(error: OSError | ApiError, why: str) -> None:
    assert why in portforwarding.failure(81, error)


async def test_a_connection_is_closed_even_when_its_end_is_cut_short() -> None:
    """The client resets a stream, and is gone before its task has ended."""
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_connection(sock=ours)
        tunnel = portforwarding._Tunnel(cast(Any, None), cast(Any, None), cast(Any, None))
        task = asyncio.create_task(tunnel._copy(reader, writer, asyncio.Queue(), 1))
        for _ in range(2):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert writer.transport.is_closing()
