"""What is too large in an emptyDir ends its pod."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes
from tests.unit.kube.node.living import living

from bookmesh.kube.node import volume_limits


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


def test_what_files_take_is_added_up(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    empty = volume_limits.size_of(tmp_path)
    (tmp_path / "inner" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "link").symlink_to("/usr")
    assert 100_000 <= volume_limits.size_of(tmp_path) - empty < 120_000
    assert volume_limits.size_of(tmp_path / "gone") == 0


async def test_a_pod_that_puts_too_much_into_an_empty_dir_is_evicted(bench: fakes.Bench) -> None:
    volumes = [
        {"name": "small", "emptyDir": {"sizeLimit": "64Ki"}},
        {"name": "memory", "emptyDir": {"sizeLimit": "64Ki", "medium": "Disk"}},
        {"name": "free", "emptyDir": {}},
    ]
    async with living(bench, fakes.pod(volumes=volumes)) as life:
        await life.until(life.is_ready)
        directory = bench.machinery.settings.volume_directory(life.worker.context.uid)
        looking = asyncio.create_task(volume_limits.enforce(lambda: [life.worker], interval_s=0.01))
        (directory / "free" / "file").write_bytes(b"x" * 200_000)
        (directory / "small" / "file").write_bytes(b"x" * 200_000)
        await life.until(lambda: life.status["phase"] == "Failed")
        looking.cancel()
        why = 'Usage of EmptyDir volume "small" exceeds the limit "64Ki".'
        assert (life.status["reason"], life.status["message"]) == ("Evicted", why)
        assert [event for event in await bench.events() if event[0] == "Evicted"] == [("Evicted", why)]
