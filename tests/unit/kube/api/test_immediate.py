"""Coroutines that are run to their end in one step."""

from __future__ import annotations

import asyncio

import pytest

from bookmesh.kube.api import immediate


class Counter:
    """Counts, at once or later."""

    def __init__(self) -> None:
        self.count = 0

    async def request_add(self, number: int, *, pause: bool = False) -> int:
        if pause:
            await asyncio.sleep(0)
        self.count += number
        return self.count

    add = immediate.at_once(request_add)


def test_what_waits_for_nobody_is_done_at_once() -> None:
    counter = Counter()
    assert counter.add(2) == 2
    assert counter.add(number=3) == 5


def test_what_has_to_wait_is_cancelled() -> None:
    counter = Counter()
    with pytest.raises(RuntimeError, match="request_add has to wait"):
        counter.add(2, pause=True)
    assert counter.count == 0
