"""
The power fails at any moment: what anybody was told is in the store, and the store opens.

The platter is what the files were when a sync began: everything that was written later is lost. (What SQLite syncs
by itself is on the platter with the next sync only, so this is a little worse than a real failure.)
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from bookmesh.kube.store import records, store

MAPS = records.GroupResource("", "configmaps")
WRITERS = 8


class Platter:
    """Copies of the store's files: the one of the last sync that has ended."""

    def __init__(self, files: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._files, self._place, self._copies = files, place, 0
        self._newest: Path | None = None
        self._lock = threading.Lock()
        self._fdatasync = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self.sync)

    def sync(self, descriptor: int) -> None:
        """Stand in for `os.fdatasync`."""
        self._copies += 1
        copy = self._place / str(self._copies)
        shutil.copytree(self._files, copy)
        self._fdatasync(descriptor)
        with self._lock:
            previous, self._newest = self._newest, copy
        if previous:
            shutil.rmtree(previous, ignore_errors=True)  # not there after the failure

    def after_failure(self, place: Path) -> Path:
        """The files as they are found when the power is back, in `place`."""
        with self._lock:
            assert self._newest is not None
            return self._newest.rename(place)


async def write_until_dark(
    objects: store.Store, dice: random.Random, told: dict[str, int], dark: asyncio.Event
) -> None:
    """Add one to numbers; `told` is what the world has heard."""
    while not dark.is_set():
        name = f"m{dice.randrange(20)}"
        before = objects.get(MAPS, "default", name)
        number = before.object["data"]["number"] + 1 if before else 0
        obj: dict[str, Any] = {
            "metadata": {"name": name},
            "data": {"number": number, "ballast": "x" * dice.randrange(4000)},
        }
        stored = (
            objects.update(MAPS, "default", name, obj)
            if before
            else objects.create(MAPS, "default", name, obj)
        )
        await objects.until_on_disk(stored.version)
        if not dark.is_set():
            told[name] = max(told.get(name, 0), number)


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_acknowledged_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice, told, dark = random.Random(seed), dict[str, int](), asyncio.Event()
    files, place = tmp_path / "files", tmp_path / "platter"
    files.mkdir()
    objects = store.Store.open(files / "store.db")
    platter = Platter(files, place, monkeypatch)
    writers = [asyncio.create_task(write_until_dark(objects, dice, told, dark)) for _ in range(WRITERS)]
    wanted = dice.randrange(50, 700)  # a moment at random; beyond 300 or so the write-ahead log begins anew
    async with asyncio.timeout(60):
        while objects.version < wanted:
            await asyncio.sleep(0)
    dark.set()
    survived = store.Store.open(platter.after_failure(tmp_path / "after") / "store.db")
    await asyncio.gather(*writers)
    try:
        assert len(told) > 10
        for name, number in told.items():
            found = survived.get(MAPS, "default", name)
            assert found is not None, f"{name} was acknowledged"
            assert found.object["data"]["number"] >= number
        assert survived.version >= wanted - 2 * WRITERS
    finally:
        survived.close()
        objects.close()
