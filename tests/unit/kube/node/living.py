"""A pod that lives on a bench of fakes, as the tests of its parts watch it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import PODS, JsonObject
from bookmesh.kube.node.addresses import PodAddresses
from bookmesh.kube.node.pod_worker import PodWorker


class Life:
    """One worker on a bench; `pod` is what the API has."""

    def __init__(self, bench: fakes.Bench, worker: PodWorker, task: asyncio.Task[None]) -> None:
        self.bench = bench
        self.worker = worker
        self.task = task

    @property
    def pod(self) -> JsonObject | None:
        return self.bench.client.find(PODS, "web")

    @property
    def status(self) -> JsonObject:
        assert self.pod is not None
        status: JsonObject = self.pod["status"]
        return status

    def container(self, name: str = "c") -> JsonObject:
        for item in [
            *self.status.get("initContainerStatuses", []),
            *self.status.get("containerStatuses", []),
        ]:
            if item["name"] == name:
                return dict(item)
        return {"state": {}, "restartCount": 0, "ready": False, "lastState": {}}

    def reason(self, name: str = "c") -> str:
        state = self.container(name)["state"]
        return str(state.get("waiting", state.get("terminated", {})).get("reason", ""))

    def is_ready(self) -> bool:
        return any(c["type"] == "Ready" and c["status"] == "True" for c in self.status.get("conditions", []))

    async def until(self, condition: Callable[[], Any]) -> None:
        await fakes.until(condition)

    async def delete(self, grace_s: int | None = None) -> None:
        await self.bench.client.delete(PODS, "web", "default", grace_s=grace_s)
        if self.pod is not None:
            self.worker.update(self.pod)


@contextlib.asynccontextmanager
async def living(bench: fakes.Bench, pod: JsonObject) -> AsyncIterator[Life]:
    created = await bench.client.create(PODS, pod)
    worker = PodWorker(bench.machinery, created, addresses=PodAddresses())
    task = asyncio.create_task(worker.run())
    try:
        yield Life(bench, worker, task)
    finally:
        worker.stop(0)
        await asyncio.wait_for(task, 20)
        assert bench.network.attached == []


def ends(*codes: int) -> fakes.Script:
    """A container whose first runs end with these codes; the next one stays."""
    runs = iter(codes)

    def script(process: fakes.FakeProcess) -> None:
        process.print("hello\n")
        if (code := next(runs, None)) is not None:
            process.end(code)

    return script
