"""Which sandboxes are too large; this very process stands for one."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any

from bookmesh.kube.node import memory_limits


def test_what_is_above_its_limit_is_found() -> None:
    assert memory_limits.find_too_large({os.getpid(): 1 << 20}) == [os.getpid()]
    assert memory_limits.find_too_large({os.getpid(): 1 << 40}) == []


async def test_only_a_container_with_a_limit_is_ended_for_its_memory() -> None:
    ended: list[str] = []

    def runner(name: str, limit: str | None) -> Any:
        resources = {"limits": {"memory": limit}} if limit else {}
        run = SimpleNamespace(
            process=SimpleNamespace(pid=os.getpid()), end_for_memory=lambda: ended.append(name)
        )
        return SimpleNamespace(record=SimpleNamespace(spec={"resources": resources}), current=run)

    worker: Any = SimpleNamespace(runners={"free": runner("free", None), "small": runner("small", "1Mi")})
    loop = asyncio.create_task(memory_limits.enforce(lambda: [worker], interval_s=60))
    async with asyncio.timeout(20):
        while not ended:
            await asyncio.sleep(0.01)
    loop.cancel()
    assert ended == ["small"]
