from __future__ import annotations

import asyncio

import pytest

from bookmesh.kube.node import waiting


async def test_a_signal_wakes_all_who_wait_and_remembers_nothing() -> None:
    signal = waiting.Signal()
    signal.fire()
    waits = [signal.wait() for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(wait.done() for wait in waits)
    signal.fire()
    await asyncio.gather(*waits)


async def test_a_deadline_can_be_moved_forward_only() -> None:
    deadline = waiting.Deadline(1000)
    wait = asyncio.create_task(deadline.wait())
    await asyncio.sleep(0)
    deadline.shorten(2000)
    assert 500 < deadline.remaining_s() <= 1000
    deadline.shorten(0)
    await asyncio.wait_for(wait, 20)
    assert deadline.remaining_s() == 0


async def test_a_deadline_comes_by_itself() -> None:
    await asyncio.wait_for(waiting.Deadline(0.01).wait(), 20)


async def test_the_first_of_several_ends_the_others() -> None:
    ended = []

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    await waiting.first_of(asyncio.sleep(0), never(), never())
    assert ended == [True, True]
    await waiting.first_of(never(), timeout_s=0.01)


async def test_what_a_task_raised_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("broken")

    await waiting.first_of(fails())
    assert "broken" in caplog.text


async def test_waiting_begins_with_the_call() -> None:
    signal = waiting.Signal()
    wait = signal.wait()
    signal.fire()
    await waiting.first_of(wait, timeout_s=20)
    assert wait.done()
    assert not wait.cancelled()
