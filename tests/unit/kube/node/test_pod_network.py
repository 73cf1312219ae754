from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import pytest
from tests.unit.kube.node import fakes

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node.addresses import PodAddresses
from bookmesh.kube.node.context import PodContext
from bookmesh.kube.node.pod_network import PodNetwork
from bookmesh.kube.sandbox.namespaces import NetworkNamespace

NOW = datetime.datetime(2026, 5, 9, 12, 0, tzinfo=datetime.UTC)


class Hook:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self.failures: list[OSError] = []

    def apply(self, pod: JsonObject, netns: NetworkNamespace) -> None:
        if self.failures:
            raise self.failures.pop()
        self.seen.append(pod["status"]["podIP"])


class Rig:
    def __init__(self, directory: Path) -> None:
        bench = fakes.Bench(directory)
        self.hook = Hook()
        self.attached = bench.network.attached
        self.addresses = PodAddresses()
        machinery = dataclasses.replace(bench.machinery, network_hooks=[self.hook])
        self.context = PodContext(machinery, fakes.pod(), now=NOW)
        self.network = PodNetwork(self.context, self.addresses)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_hooks_run_on_a_network_that_is_up(rig: Rig) -> None:
    await rig.network.set_up()
    assert rig.attached == rig.hook.seen == ["10.244.0.2"]
    assert rig.context.record.sandbox_ready
    assert rig.context.netns is not None


async def test_a_failed_hook_leaves_nothing_but_the_address(rig: Rig) -> None:
    rig.hook.failures = [OSError("no nf_tables")]
    with pytest.raises(OSError, match="no nf_tables"):
        await rig.network.set_up()
    assert rig.attached == []
    assert rig.context.netns is None
    assert not rig.context.record.sandbox_ready
    await rig.network.set_up()
    assert rig.attached == ["10.244.0.2"]


async def test_tearing_down_frees_the_address_and_keeps_the_record_of_it(rig: Rig) -> None:
    await rig.network.set_up()
    await rig.network.tear_down()
    await rig.network.tear_down()
    assert rig.attached == []
    assert rig.context.record.ip == "10.244.0.2"
    assert rig.addresses.allocate("other") == "10.244.0.3"
