"""Looks again and again at what the running containers use."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import metrics
from bookmesh.kube.node.pod_worker import PodWorker
from bookmesh.kube.node.records import Running
from bookmesh.kube.sandbox import usage


async def measure(
    board: metrics.Metrics,
    workers: Callable[[], Iterable[PodWorker]],
    node: JsonObject,
    *,
    interval_s: float,
) -> NoReturn:
    """Note what each running container uses, until cancelled; the reading is done in a thread."""
    while True:
        runs = dict(_runs(workers()))
        used, machine = await asyncio.to_thread(_read, list(runs))
        now = datetime.datetime.now(datetime.UTC)
        board.note(
            [
                metrics.Reading(worker.context.pod, container, run, started_at, used[pid])
                for pid, (worker, container, run, started_at) in runs.items()
                if pid in used
            ],
            machine=machine,
            node=node,
            now=now,
        )
        await asyncio.sleep(interval_s)


def _read(pids: list[int]) -> tuple[dict[int, usage.Usage], usage.Usage]:
    return usage.read_sandboxes(pids), usage.read_machine()


def _runs(
    workers: Iterable[PodWorker],
) -> Iterator[tuple[int, tuple[PodWorker, str, str, datetime.datetime]]]:
    for worker in workers:
        for name, runner in worker.runners.items():
            run, record = runner.current, runner.record
            if run is not None and run.process is not None and isinstance(record.state, Running):
                yield run.process.pid, (worker, name, record.container_id, record.state.started_at)
