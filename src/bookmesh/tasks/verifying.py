"""Many tasks at the same time, each in its own namespace; results in the order of the tasks."""

from __future__ import annotations

import concurrent.futures
import fnmatch
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from bookmesh.tasks.loading import LoadedTask
from bookmesh.tasks.records import Result
from bookmesh.tasks.running import Cluster, TaskRun


class Listener(Protocol):
    """Is told how far it is; called from one thread at a time."""

    def on_step(self, key: str, step: str) -> None: ...

    def on_result(self, result: Result) -> None: ...


def select(tasks: Sequence[LoadedTask], patterns: Sequence[str]) -> list[LoadedTask]:
    """Pick the tasks whose key or id matches one of the globs; a pattern with `/` at its end means all below it."""
    return [
        loaded
        for loaded in tasks
        if any(
            fnmatch.fnmatchcase(name, pattern + ("*" if pattern.endswith("/") else ""))
            for pattern in patterns
            for name in (loaded.key, loaded.task.id)
        )
    ]


def verify(tasks: Sequence[LoadedTask], cluster: Cluster, *, jobs: int, listener: Listener) -> list[Result]:
    """Run all tasks, `jobs` at a time."""
    since = time.monotonic()
    telling = threading.Lock()

    def run(loaded: LoadedTask) -> Result:
        def on_step(step: str) -> None:
            with telling:
                listener.on_step(loaded.key, step)

        result = TaskRun(loaded, cluster, since=since, on_step=on_step).run()
        with telling:
            listener.on_result(result)
        return result

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            return list(pool.map(run, tasks))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what runs cleans up after itself
            raise
