from __future__ import annotations

import asyncio

import pytest

from bookmesh.kube.controllers import queues


async def test_a_waiting_key_is_not_queued_twice() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    queue.add("a")
    queue.add("b")
    queue.add("a")
    assert [await queue.take(), await queue.take()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_in_hand_comes_again_only_after_it_is_done() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    queue.add("a")
    key = await queue.take()
    queue.add("a")
    assert len(queue) == 0
    queue.done(key)
    assert await queue.take() == "a"


async def test_a_taker_is_woken_by_a_new_key() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    taker = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add("a")
    assert await taker == "a"


async def test_a_cancelled_taker_loses_no_key() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    first, second = asyncio.create_task(queue.take()), asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second == "a"


async def test_back_off_doubles_and_starts_anew_after_success() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    assert [queue.retry("a") for _ in range(4)] == [0.005, 0.01, 0.02, 0.04]
    queue.forget("a")
    assert queue.retry("a") == 0.005
    queue.close()


async def test_back_off_has_an_end() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    assert max(queue.retry("a") for _ in range(100)) == queues.LAST_RETRY_S
    queue.close()


async def test_of_two_delays_the_shorter_holds() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    queue.add_after("a", 3600)
    queue.add_after("a", 0.001)
    queue.add_after("a", 7200)
    async with asyncio.timeout(20):
        assert await queue.take() == "a"


async def test_a_change_spends_the_timer() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    queue.add_after("a", 0.001)
    queue.add("a")
    queue.done(await queue.take())
    await asyncio.sleep(0.003)
    assert len(queue) == 0


async def test_no_delay_means_now() -> None:
    queue: queues.WorkQueue[str] = queues.WorkQueue()
    queue.add_after("a", 0)
    assert len(queue) == 1
