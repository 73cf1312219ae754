"""
Ends containers that have more memory than their limit, as the kernel does for a control group: reason OOMKilled.

An ordinary user has no control groups, so the node looks once a second at what the processes have. A container may be
above its limit for that long, and one that is too large is killed as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from bookmesh.kube.node.container_run import ContainerRun
from bookmesh.kube.node.pod_worker import PodWorker
from bookmesh.kube.node.quantities import parse_quantity
from bookmesh.kube.sandbox import usage


async def enforce(workers: Callable[[], Iterable[PodWorker]], *, interval_s: float) -> NoReturn:
    """Look again and again, until cancelled; the reading is done in a thread."""
    while True:
        limited = {run.process.pid: (run, limit) for run, limit in _limited(workers()) if run.process}
        if limited:
            limits = {pid: limit for pid, (_, limit) in limited.items()}
            for pid in await asyncio.to_thread(find_too_large, limits):
                limited[pid][0].end_for_memory()
        await asyncio.sleep(interval_s)


def find_too_large(limits: dict[int, int]) -> list[int]:
    """Find the sandboxes, by their first process, that have more bytes than they may; what is shared counts in part."""
    resident = usage.read_resident(limits)
    suspects = [pid for pid, size in resident.items() if size > limits[pid]]
    return [pid for pid, used in usage.read_sandboxes(suspects).items() if used.memory > limits[pid]]


def _limited(workers: Iterable[PodWorker]) -> Iterator[tuple[ContainerRun, int]]:
    for worker in workers:
        for runner in worker.runners.values():
            limit = ((runner.record.spec.get("resources") or {}).get("limits") or {}).get("memory")
            if limit is not None and runner.current is not None:
                yield runner.current, int(parse_quantity(limit))
