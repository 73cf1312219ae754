"""What is in a volume goes with it, and with it alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base import volumes
from bookmesh.base.kubernetes import VOLUMES, JsonObject
from bookmesh.kube.node import volume_removal


def volume(*finalizers: str, policy: str = "Delete", **metadata: Any) -> JsonObject:
    held = [volumes.CONTENTS_FINALIZER, *finalizers]
    fields = {"name": "v", "finalizers": held, "deletionTimestamp": "2026-08-01T12:00:00Z", **metadata}
    return {"metadata": fields, "spec": {"persistentVolumeReclaimPolicy": policy}}


@contextlib.asynccontextmanager
async def removing(client: fakes.FakeClient, directory: Path) -> AsyncIterator[None]:
    task = asyncio.create_task(volume_removal.VolumeRemoval(client, directory).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not fact():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_contents_go_before_the_object_unless_they_are_retained(tmp_path: Path, policy: str) -> None:
    (tmp_path / "v" / "inner").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    client = fakes.FakeClient()
    await client.create(VOLUMES, volume("mine", policy=policy))

    def is_released() -> bool:
        found = client.find(VOLUMES, "v", "")
        return found is not None and found["metadata"]["finalizers"] == ["mine"]

    async with removing(client, tmp_path):
        await until(is_released)
    assert (tmp_path / "v").exists() is (policy == "Retain")
    assert (tmp_path / "other").exists()


def test_a_volume_that_a_claim_has_is_left_alone() -> None:
    assert volume_removal.is_due(volume())
    assert not volume_removal.is_due(volume(volumes.VOLUME_FINALIZER))
    assert not volume_removal.is_due(volume(deletionTimestamp=None))
    assert not volume_removal.is_due(volume(finalizers=["mine"]))
