from __future__ import annotations

import asyncio

import pytest

from bookmesh.mesh.xds.turns import Turns


async def rounds_of(turns: Turns, workers: int) -> list[int]:
    """In which round of the event loop each of several workers, who all start at once, has its turn."""
    now, seen = 0, []

    async def count() -> None:
        nonlocal now
        while True:
            now += 1
            await asyncio.sleep(0)

    async def work() -> None:
        async with turns.next():
            seen.append(now)

    counting = asyncio.create_task(count())
    await asyncio.gather(*(work() for _ in range(workers)))
    counting.cancel()
    return seen


async def test_each_has_a_round_of_its_own() -> None:
    seen = await rounds_of(Turns(), 20)
    assert len(set(seen)) == 20
    assert seen == sorted(seen)


async def test_a_failure_ends_the_turn() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="broken"):
        async with turns.next():
            raise ValueError("broken")
    async with asyncio.timeout(20), turns.next():
        pass
