"""
Evicts pods that have put more into an emptyDir than its `sizeLimit`: the kubelet's words, reason Evicted.

The node looks now and then, as the kubelet does; an emptyDir in memory needs no look, since its file system has that
size.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from bookmesh.kube.node.pod_worker import PodWorker
from bookmesh.kube.node.quantities import parse_quantity

_BLOCK_BYTES = 512


async def enforce(workers: Callable[[], Iterable[PodWorker]], *, interval_s: float) -> NoReturn:
    """Look again and again, until cancelled; the reading is done in a thread."""
    while True:
        for worker, name, path, limit in list(_limited(workers())):
            if await asyncio.to_thread(size_of, path) > parse_quantity(limit):
                worker.evict(f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}".')
        await asyncio.sleep(interval_s)


def size_of(directory: Path) -> int:
    """Bytes that a directory and all below it take on the disk; what goes meanwhile is not counted."""
    total = 0
    for parent, _, files in os.walk(directory):
        for name in (".", *files):
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * _BLOCK_BYTES
            except FileNotFoundError:
                continue
    return total


def _limited(workers: Iterable[PodWorker]) -> Iterator[tuple[PodWorker, str, Path, str]]:
    for worker in workers:
        context = worker.context
        directory = context.machinery.settings.volume_directory(context.uid)
        for volume in context.pod["spec"].get("volumes") or ():
            source = volume.get("emptyDir") or {}
            if source.get("sizeLimit") and source.get("medium") != "Memory":
                yield worker, volume["name"], directory / volume["name"], source["sizeLimit"]
