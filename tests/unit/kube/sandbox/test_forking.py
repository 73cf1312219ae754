"""What can be known of the fork server's client without a server."""

from __future__ import annotations

import asyncio
import os

import pytest

from bookmesh.kube.sandbox.forking import Exit, Process, SandboxError


async def test_all_who_wait_get_the_same_end() -> None:
    exited: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
    process = Process(4_000_000, os.open("/dev/null", os.O_RDONLY), exited)
    waiting = [asyncio.ensure_future(process.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert process.exit is None
    exited.set_result(Exit(137, 9))
    assert await asyncio.gather(*waiting) == [Exit(137, 9)] * 3
    assert process.exit == Exit(137, 9)


async def test_one_who_stops_waiting_disturbs_no_other() -> None:
    exited: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
    process = Process(4_000_000, os.open("/dev/null", os.O_RDONLY), exited)
    first, second = asyncio.ensure_future(process.wait()), asyncio.ensure_future(process.wait())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    exited.set_result(Exit(0))
    assert await second == Exit(0)


async def test_a_lost_server_is_an_error_for_those_who_wait_and_for_nobody_else() -> None:
    exited: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
    process = Process(4_000_000, os.open("/dev/null", os.O_RDONLY), exited)
    exited.set_exception(SandboxError("the fork server has ended"))
    with pytest.raises(SandboxError):
        await process.wait()
    assert process.exit is None
    await asyncio.sleep(0)  # the process lets go of its descriptor
    process.signal(15)
