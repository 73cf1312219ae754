from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import ApiError
from bookmesh.base.pods import ExecOptions, LogOptions
from bookmesh.kube.node import streams
from bookmesh.kube.node.containers import ContainerRunner
from bookmesh.kube.node.context import PodContext
from bookmesh.kube.node.records import Terminated, Waiting
from bookmesh.kube.sandbox.namespaces import NetworkNamespace

NOW = datetime.datetime(2026, 5, 9, 12, 0, tzinfo=datetime.UTC)
ENDED = Terminated(exit_code=1, reason="Error", started_at=NOW, finished_at=NOW)


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


def context_of(bench: fakes.Bench) -> PodContext:
    context = PodContext(bench.machinery, fakes.pod(), now=NOW)
    context.netns = NetworkNamespace(-1)
    return context


def write_log(context: PodContext, run: int, text: str) -> None:
    path = context.log_path("c", run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"2026-05-09T12:00:00.000000000Z stdout F {text}\n")


async def read(context: PodContext, **options: Any) -> str:
    chunks = streams.open_logs(
        context, None, context.machinery.settings, context.pod, LogOptions("c", **options)
    )
    return b"".join([chunk async for chunk in chunks]).decode()


async def test_previous_is_the_run_before(bench: fakes.Bench) -> None:
    context = context_of(bench)
    (record,) = context.record.app
    write_log(context, 0, "first")
    record.state, record.restart_count = ENDED, 0
    assert await read(context) == "first\n"
    with pytest.raises(ApiError, match='previous terminated container "c" in pod "web" not found'):
        await read(context, previous=True)
    write_log(context, 1, "second")
    record.restart_count = 1
    assert await read(context) == "second\n"
    assert await read(context, previous=True) == "first\n"


async def test_while_a_container_waits_its_last_run_is_the_previous_one_too(bench: fakes.Bench) -> None:
    context = context_of(bench)
    (record,) = context.record.app
    write_log(context, 0, "first")
    write_log(context, 1, "second")
    record.state, record.last, record.restart_count = Waiting("CrashLoopBackOff"), ENDED, 1
    assert await read(context) == "second\n"
    assert await read(context, previous=True) == "second\n"


async def test_a_container_without_a_log_says_why(bench: fakes.Bench) -> None:
    context = context_of(bench)
    with pytest.raises(
        ApiError, match='container "c" in pod "web" is waiting to start: ContainerCreating'
    ) as refused:
        await read(context)
    assert (refused.value.code, refused.value.reason) == (400, "BadRequest")
    with pytest.raises(ApiError, match="container x is not valid for pod web"):
        streams.open_logs(context, None, bench.settings, context.pod, LogOptions("x"))


async def test_logs_of_a_pod_that_is_not_run_any_more_are_files(bench: fakes.Bench) -> None:
    context = context_of(bench)
    write_log(context, 2, "third")
    pod = context.pod
    pod["status"] = {"containerStatuses": [{"name": "c", "restartCount": 2}]}
    chunks = streams.open_logs(None, None, bench.settings, pod, LogOptions("c"))
    assert [chunk async for chunk in chunks] == [b"third\n"]
    with pytest.raises(ApiError, match="container x is not valid"):
        streams.open_logs(None, None, bench.settings, pod, LogOptions("x"))


async def run_container(context: PodContext) -> tuple[ContainerRunner, asyncio.Task[None]]:
    runner = ContainerRunner(context, context.record.app[0], lambda: None)
    task = asyncio.create_task(runner.supervise())
    await fakes.until(lambda: runner.attempted.is_set())
    return runner, task


async def test_a_container_that_does_not_run_takes_no_command(bench: fakes.Bench) -> None:
    with pytest.raises(ApiError, match="container c is not running in pod web"):
        await streams.execute(context_of(bench), None, ExecOptions("c", ("ask",)))


async def test_a_command_that_is_not_there_is_told_as_by_containerd(bench: fakes.Bench) -> None:
    context = context_of(bench)
    runner, task = await run_container(context)
    text = 'container process: exec: "missing": executable file not found in \\$PATH$'
    with pytest.raises(ApiError, match=text) as refused:
        await streams.execute(context, runner, ExecOptions("c", ("missing",)))
    assert (refused.value.code, refused.value.reason) == (500, "InternalError")
    bench.forks.last("c").end(0)
    task.cancel()
    await asyncio.wait({task})


@pytest.mark.parametrize("can_change_user", [True, False])
async def test_tar_does_not_look_for_owners_where_there_is_one_user(
    tmp_path: Path, can_change_user: bool
) -> None:
    bench = fakes.Bench(tmp_path, can_change_user=can_change_user)

    async def answer() -> tuple[int, str]:
        return 0, ""

    bench.forks.commands["tar"] = answer
    context = context_of(bench)
    runner, task = await run_container(context)
    session = await streams.execute(context, runner, ExecOptions("c", ("tar",)))
    assert await session.wait() == 0
    await session.close()
    assert bench.forks.last_command is not None
    assert ("TAR_OPTIONS" in bench.forks.last_command.spec.env) is not can_change_user
    bench.forks.last("c").end(0)
    task.cancel()
    await asyncio.wait({task})


async def test_a_port_of_a_pod_without_network_is_refused(bench: fakes.Bench) -> None:
    context = context_of(bench)
    context.netns = None
    with pytest.raises(ConnectionRefusedError):
        await streams.connect(context, 80)
