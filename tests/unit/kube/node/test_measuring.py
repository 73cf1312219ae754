"""The loop that looks at running containers, on this very process."""

from __future__ import annotations

import asyncio
import datetime
import os
from types import SimpleNamespace
from typing import Any

from bookmesh.kube.node import measuring, metrics
from bookmesh.kube.node.records import Running, Waiting

POD = {"metadata": {"name": "p", "namespace": "n", "uid": "1"}}
NODE = {"metadata": {"name": "node"}}


def _runner(state: object) -> Any:
    record = SimpleNamespace(state=state, container_id="id")
    return SimpleNamespace(current=SimpleNamespace(process=SimpleNamespace(pid=os.getpid())), record=record)


async def test_what_runs_is_measured_and_what_waits_is_not() -> None:
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=10)
    runners = {"works": _runner(Running(began)), "waits": _runner(Waiting("ContainerCreating"))}
    worker: Any = SimpleNamespace(context=SimpleNamespace(pod=POD), runners=runners)
    board = metrics.Metrics()
    loop = asyncio.create_task(measuring.measure(board, lambda: [worker], NODE, interval_s=60))
    async with asyncio.timeout(20):
        while not board.pods():
            await asyncio.sleep(0.01)
    loop.cancel()
    (pod,) = board.pods()
    assert [container["name"] for container in pod["containers"]] == ["works"]
    assert int(pod["containers"][0]["usage"]["memory"].removesuffix("Ki")) > 1000
