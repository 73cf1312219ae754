from __future__ import annotations

import asyncio
import datetime
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import PODS, ApiError
from bookmesh.kube.node.context import PodContext
from bookmesh.kube.node.records import Running
from bookmesh.kube.node.status_writing import StatusWriter

NOW = datetime.datetime(2026, 5, 9, 12, 0, tzinfo=datetime.UTC)


async def context_on(bench: fakes.Bench) -> PodContext:
    return PodContext(bench.machinery, await bench.client.create(PODS, fakes.pod()), now=NOW)


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


async def test_the_same_status_is_written_once(bench: fakes.Bench) -> None:
    context = await context_on(bench)
    writer = StatusWriter(context)
    await writer.write()
    await writer.write()
    assert bench.client.writes == [("pods", "status")]


async def test_changes_are_written_as_they_come(bench: fakes.Bench) -> None:
    context = await context_on(bench)
    task = asyncio.create_task(StatusWriter(context).run())
    await fakes.until(lambda: len(bench.client.writes) == 1)
    record = context.record.app[0]
    record.state, record.ready, record.started = Running(NOW), True, True
    for _ in range(3):
        context.status_changed.fire()
    await fakes.until(lambda: len(bench.client.writes) == 2)
    pod = await bench.client.get(PODS, "web", "default")
    assert pod["status"]["phase"] == "Running"
    task.cancel()


@pytest.mark.parametrize(("code", "logged"), [(404, False), (409, False), (500, True)])
async def test_a_refusal_is_logged_unless_the_pod_is_gone(
    bench: fakes.Bench,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
    logged: bool,
) -> None:
    context = await context_on(bench)

    async def refuse(*_arguments: object, **_options: object) -> None:
        raise ApiError(code, "Reason", "refused")

    monkeypatch.setattr(bench.client, "patch", refuse)
    await StatusWriter(context).write()
    assert ("not written: refused" in caplog.text) == logged
