"""A pod runs by the runtime that it wants, or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes
from tests.unit.kube.node.living import living

from bookmesh.base.kubernetes import RUNTIME_CLASSES
from bookmesh.kube.node import runtime_handlers


@pytest.fixture
def bench(tmp_path: Path) -> fakes.Bench:
    return fakes.Bench(tmp_path)


async def test_handlers_of_this_node_are_known_by_name() -> None:
    client = fakes.FakeClient()
    await client.create(RUNTIME_CLASSES, {"metadata": {"name": "usual"}, "handler": "runc"})
    await client.create(RUNTIME_CLASSES, {"metadata": {"name": "gvisor"}, "handler": "runsc"})
    await runtime_handlers.check(client, fakes.pod())
    await runtime_handlers.check(client, fakes.pod(runtimeClassName="usual"))
    with pytest.raises(RuntimeError, match='no runtime for "runsc" is configured'):
        await runtime_handlers.check(client, fakes.pod(runtimeClassName="gvisor"))
    with pytest.raises(RuntimeError, match='RuntimeClass "gone" not found'):
        await runtime_handlers.check(client, fakes.pod(runtimeClassName="gone"))


async def test_a_pod_of_an_unknown_runtime_says_so_and_starts_when_it_is_known(bench: fakes.Bench) -> None:
    await bench.client.create(RUNTIME_CLASSES, {"metadata": {"name": "gvisor"}, "handler": "runsc"})
    async with living(bench, fakes.pod(runtimeClassName="gvisor")) as life:
        told = 'Failed to create pod sandbox: failed to get sandbox runtime: no runtime for "runsc" is configured'
        async with asyncio.timeout(20):
            while ("FailedCreatePodSandBox", told) not in await bench.events():
                await asyncio.sleep(0)
        await bench.client.patch(RUNTIME_CLASSES, "gvisor", "", {"handler": "runc"})
        await life.until(life.is_ready)
