"""Many tasks at the same time, each in its own namespace; results in the order of the tasks."""

from __future__ import annotations

import concurrent.futures
import fnmatch
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from bookmesh.tasks import scheduling
from bookmesh.tasks.loading import LoadedTask
from bookmesh.tasks.records import Result
from bookmesh.tasks.running import Cluster, TaskRun


class Listener(Protocol):
    """Is told how far it is; called from one thread at a time."""

    def on_step(self, key: str, step: str) -> None: ...

    def on_result(self, result: Result) -> None: ...


def select(
    tasks: Sequence[LoadedTask], patterns: Sequence[str], *, by_part: bool = False
) -> list[LoadedTask]:
    """
    Pick the tasks whose key or id matches one of the globs; a pattern with `/` at its end means all below it.

    Args:
        by_part: of a pattern that is no glob it is enough to be a part of the key or id.
    """
    return [
        loaded
        for loaded in tasks
        if any(
            _matches(name, pattern, by_part=by_part)
            for pattern in patterns
            for name in (loaded.key, loaded.task.id)
        )
    ]


def _matches(name: str, pattern: str, *, by_part: bool) -> bool:
    if by_part and not any(character in pattern for character in "*?["):
        return pattern in name
    return fnmatch.fnmatchcase(name, pattern + ("*" if pattern.endswith("/") else ""))


def verify(
    tasks: Sequence[LoadedTask], cluster: Cluster, *, jobs: int, listener: Listener, keeps: bool = False
) -> list[Result]:
    """
    Run all tasks, `jobs` at a time, as far as they do not exclude each other.

    Args:
        keeps: what tasks that do not pass have made is left.

    Returns:
        Results in the order of the tasks.
    """
    since = time.monotonic()
    telling, stopping = threading.Lock(), threading.Event()
    schedule = scheduling.Schedule(tasks)
    results: dict[int, Result] = {}

    def work() -> None:
        while (index := schedule.take()) is not None:
            try:
                results[index] = run(tasks[index])
            finally:
                schedule.done(index)

    def run(loaded: LoadedTask) -> Result:
        def on_step(step: str) -> None:
            with telling:
                listener.on_step(loaded.key, step)

        result = TaskRun(loaded, cluster, since=since, on_step=on_step, keeps=keeps, stopping=stopping).run()
        with telling:
            listener.on_result(result)
        return result

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            for worker in [pool.submit(work) for _ in range(jobs)]:
                worker.result()
        except BaseException:
            schedule.stop()
            stopping.set()  # what runs cleans up after itself
            raise
    return [results[index] for index in range(len(tasks))]
