"""Waiting for the disk: together, and honestly when it fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bookmesh.kube.store.records import StoreUnusable
from bookmesh.kube.store.syncing import Syncing


class Disk:
    """Syncs when it is allowed to."""

    def __init__(self) -> None:
        self.version = 0
        self.syncs = 0
        self.failure: OSError | None = None
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def sync(self) -> None:
        self.syncs += 1
        self.has_begun.set()
        assert self.may_end.wait(5)
        if self.failure:
            raise self.failure


@pytest.fixture
def disk() -> Iterator[Disk]:
    found = Disk()
    yield found
    found.may_end.set()


async def write(disk: Disk, syncing: Syncing) -> int:
    """Write and wait until it is on disk."""
    disk.version += 1
    version = disk.version
    await syncing.reach(version)
    assert syncing.version >= version
    return version


async def test_what_is_on_disk_needs_no_wait(disk: Disk) -> None:
    disk.version = 7
    await Syncing(disk.sync, newest=lambda: disk.version).reach(7)
    assert disk.syncs == 0


async def test_writers_of_one_moment_share_a_sync(disk: Disk) -> None:
    disk.may_end.set()
    syncing = Syncing(disk.sync, newest=lambda: disk.version)
    assert await asyncio.gather(*(write(disk, syncing) for _ in range(50))) == list(range(1, 51))
    assert disk.syncs == 1
    syncing.close()


async def test_writers_that_come_during_a_sync_share_the_next(disk: Disk) -> None:
    syncing = Syncing(disk.sync, newest=lambda: disk.version)
    first = asyncio.create_task(write(disk, syncing))
    await asyncio.to_thread(disk.has_begun.wait, 5)
    later = [asyncio.create_task(write(disk, syncing)) for _ in range(20)]
    await asyncio.sleep(0)
    assert syncing.version == 0
    assert disk.version == 21
    disk.may_end.set()
    async with asyncio.timeout(20):
        assert await first == 1
        await asyncio.gather(*later)
    assert disk.syncs == 2
    syncing.close()


async def test_one_who_leaves_does_not_take_the_others_along(disk: Disk) -> None:
    syncing = Syncing(disk.sync, newest=lambda: disk.version)
    leaving, staying = (asyncio.create_task(write(disk, syncing)) for _ in range(2))
    await asyncio.to_thread(disk.has_begun.wait, 5)
    leaving.cancel()
    disk.may_end.set()
    async with asyncio.timeout(20):
        assert await staying == 2
    syncing.close()


async def test_after_a_failure_nothing_is_claimed_any_more(disk: Disk) -> None:
    disk.failure = OSError(5, "Input/output error")
    disk.may_end.set()
    syncing = Syncing(disk.sync, newest=lambda: disk.version)
    with pytest.raises(StoreUnusable, match="Input/output error"):
        await write(disk, syncing)
    disk.failure = None  # what the kernel has dropped does not come back with the next sync
    with pytest.raises(StoreUnusable):
        await write(disk, syncing)
    with pytest.raises(StoreUnusable):
        syncing.check()
    assert (disk.syncs, syncing.version) == (1, 0)


async def test_closing_syncs_for_those_who_wait(disk: Disk) -> None:
    disk.may_end.set()
    syncing = Syncing(disk.sync, newest=lambda: disk.version)
    waiting = asyncio.create_task(write(disk, syncing))
    await asyncio.sleep(0)
    syncing.close()
    syncing.close()
    async with asyncio.timeout(20):
        assert await waiting == 1
