"""The life of a claim and its volume under real kubectl, with the events that people look for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import helm_python as helm
import pytest
from tests.clients.conftest import Cluster
from tests.clients.living import living

from bookmesh.base.kubernetes import VOLUME_CLAIMS
from bookmesh.lab import seeding

WAIT = "--timeout=50s"
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: web, image: "web:1", volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""
DATABASE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Delete}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


@pytest.fixture
async def alive(cluster: Cluster) -> AsyncIterator[Cluster]:
    async with living(cluster):
        await seeding.seed_classes(cluster.client)
        yield cluster


def columns(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines()]


async def test_a_claim_waits_for_a_pod_grows_and_goes_after_it(alive: Cluster) -> None:
    assert "standard (default)" in await alive.ok("get", "sc")
    await alive.ok("apply", "-f", "-", stdin=CLAIM)
    waiting = "waiting for first consumer to be created before binding"
    await alive.ok("wait", f"--for=jsonpath={{.message}}={waiting}", "event", "--all", WAIT)
    assert columns(await alive.ok("get", "pvc"))[1][:2] == ["data", "Pending"]
    await alive.ok("apply", "-f", "-", stdin=POD)
    await alive.ok("wait", "--for=condition=Ready", "pod/web", WAIT)
    described = await alive.ok("describe", "pvc", "data")
    for told in ("ExternalProvisioning", "ProvisioningSucceeded", "Used By:       web"):
        assert told in described
    (_, row) = columns(await alive.ok("get", "pv"))
    assert row[1:7] == ["1Gi", "RWO", "Delete", "Bound", "default/data", "standard"]

    more = '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'
    await alive.ok("patch", "pvc", "data", "-p", more)
    await alive.ok("wait", "--for=jsonpath={.status.capacity.storage}=2Gi", "pvc/data", WAIT)
    assert columns(await alive.ok("get", "pv"))[1][1] == "2Gi"

    await alive.ok("delete", "pvc", "data", "--wait=false")
    assert columns(await alive.ok("get", "pvc"))[1][:2] == ["data", "Terminating"]
    await alive.ok("delete", "pod", "web", "--wait=false")
    await alive.ok("wait", "--for=delete", "pvc/data", WAIT)
    await alive.ok("wait", "--for=delete", f"pv/{row[0]}", WAIT)


async def test_claims_of_a_stateful_set_go_as_its_policy_says(alive: Cluster) -> None:
    await alive.ok("apply", "-f", "-", stdin=DATABASE)
    await alive.ok("rollout", "status", "statefulset/db", WAIT)
    await alive.ok("scale", "statefulset/db", "--replicas=1")
    await alive.ok("wait", "--for=delete", "pvc/data-db-1", WAIT)
    assert columns(await alive.ok("get", "pvc"))[1][:2] == ["data-db-0", "Bound"]
    await alive.ok("delete", "statefulset", "db")
    await alive.ok("wait", "--for=delete", "pvc/data-db-0", WAIT)
    assert "volumeReclaimPolicy" in (await alive.ok("explain", "pv.spec")).replace("persistentV", "v")


async def test_a_chart_with_a_claim_is_installed_waited_for_and_gone(alive: Cluster, tmp_path: Path) -> None:
    chart = tmp_path / "keeps"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: keeps, version: 0.1.0}")
    (chart / "templates" / "claim.yaml").write_text(CLAIM)
    (chart / "templates" / "web.yaml").write_text(POD)

    def install_and_uninstall() -> str:
        kubeconfig = str(alive.directory / "kubeconfig")
        with (
            helm.Config(kubeconfig_path=kubeconfig, namespace="default") as config,
            helm.Chart.load(chart) as loaded,
        ):
            config.install(loaded, "keeps", {}, wait="watcher", timeout=30)
            phase: str = alive.over.get(VOLUME_CLAIMS, "data", "default").object["status"]["phase"]
            config.uninstall("keeps", wait="watcher", timeout=30)
            return phase

    assert await asyncio.wait_for(asyncio.to_thread(install_and_uninstall), 60) == "Bound"
    await alive.ok("wait", "--for=delete", "pv", "--all", WAIT)
