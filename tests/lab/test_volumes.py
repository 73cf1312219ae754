"""Claims on the real kernel: what a pod writes is there for the next one, and goes with the claim."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.lab.node_labs import Lab, in_lab, is_ready

from bookmesh.base.kubernetes import PODS, VOLUME_CLAIMS, VOLUMES, ApiError, JsonObject, Resource
from bookmesh.kube.controllers import all as controllers
from bookmesh.lab import seeding

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("host")]


@contextlib.asynccontextmanager
async def controlled(lab: Lab) -> AsyncIterator[Path]:
    """Run all controllers beside the node; gives the directory of the volumes."""
    claims = lab.node.machinery.settings.claims_directory
    await seeding.seed_classes(lab.client)
    runners = controllers.build(lab.client, ca_pem="PEM", node_name="bookmesh", claims=str(claims))
    task = asyncio.create_task(controllers.run(runners))
    try:
        yield claims
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_gone(lab: Lab, resource: Resource, name: str, namespace: str = "") -> None:
    async with asyncio.timeout(60):
        with contextlib.suppress(ApiError):
            while await lab.client.get(resource, name, namespace):
                await asyncio.sleep(0.01)


def claim(name: str) -> JsonObject:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": wanted}


@in_lab
async def test_what_is_written_outlives_pods_and_goes_with_the_claim(lab: Lab) -> None:
    mounted = {"volumeMounts": [{"name": "v", "mountPath": "/data", "subPathExpr": "$(SUB)"}]}
    container = {
        "name": "c",
        "args": ["echo $HOSTNAME >> /data/file; sleep 1000"],
        "env": [{"name": "SUB", "value": "inner"}],
        **mounted,
    }
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    async with controlled(lab) as claims:
        await lab.client.create(VOLUME_CLAIMS, claim("data"))
        for name in ("first", "second"):
            # The scheduler gives it a node when its claim is bound.
            await lab.create_pod(name, container, volumes=volumes, nodeName=None)
            await lab.until(name, is_ready)
            await lab.run(name, "sh", "-c", f"until grep -q {name} /data/file; do sleep 0.02; done")
            if name == "first":
                await lab.client.delete(PODS, name, "default", grace_s=0)
                await lab.gone(name)
        assert await lab.run("second", "cat", "/data/file") == (0, "first\nsecond\n")
        (volume,) = (await lab.client.list(VOLUMES)).items
        directory = claims / volume["metadata"]["name"]
        assert (directory / "inner" / "file").read_text() == "first\nsecond\n"

        await lab.client.delete(VOLUME_CLAIMS, "data", "default")
        assert (await lab.client.get(VOLUME_CLAIMS, "data", "default"))["metadata"]["deletionTimestamp"]
        await lab.client.delete(PODS, "second", "default", grace_s=0)
        await until_gone(lab, VOLUMES, volume["metadata"]["name"])
        assert not directory.exists()


@in_lab
async def test_an_ephemeral_volume_goes_with_its_pod(lab: Lab) -> None:
    container = {
        "name": "c",
        "args": ["echo x > /data/file; sleep 1000"],
        "volumeMounts": [{"name": "v", "mountPath": "/data"}],
    }
    template = {"spec": claim("")["spec"]}
    volumes = [{"name": "v", "ephemeral": {"volumeClaimTemplate": template}}]
    async with controlled(lab) as claims:
        await lab.create_pod("short", container, volumes=volumes, nodeName=None)
        await lab.until("short", is_ready)
        await lab.run("short", "sh", "-c", "until test -s /data/file; do sleep 0.02; done")
        (volume,) = (await lab.client.list(VOLUMES)).items
        assert volume["spec"]["claimRef"]["name"] == "short-v"
        assert (claims / volume["metadata"]["name"] / "file").read_text() == "x\n"
        await lab.client.delete(PODS, "short", "default", grace_s=0)
        await until_gone(lab, VOLUME_CLAIMS, "short-v", "default")
        await until_gone(lab, VOLUMES, volume["metadata"]["name"])
        assert list(claims.iterdir()) == []
