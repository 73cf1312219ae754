"""A cluster that lives: all controllers at work, and pods that pretend to run."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import itertools
from collections.abc import AsyncIterator

from tests.clients.conftest import Cluster

from bookmesh.base.kubernetes import NODES, PODS, ApiError, Client, JsonObject
from bookmesh.kube.controllers import all as controllers

NODE = "node"
# Images whose container ends by itself, and how.
_ENDS = {"ending": ("Succeeded", 0), "failing": ("Failed", 1)}


@contextlib.asynccontextmanager
async def living(cluster: Cluster) -> AsyncIterator[None]:
    """Run controllers and a kubelet without processes on the cluster."""
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    await cluster.client.create(NODES, {"metadata": {"name": NODE}, "spec": {}, "status": ready})
    runners = controllers.build(cluster.client, ca_pem="PEM", node_name=NODE)
    tasks = [asyncio.create_task(controllers.run(runners)), asyncio.create_task(_kubelet(cluster.client))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


async def _kubelet(client: Client) -> None:
    addresses = itertools.count(2)
    listed = await client.list(PODS)
    for pod in listed.items:
        await _bring_on(client, pod, f"10.244.0.{next(addresses)}")
    async for event in client.watch(PODS, since=listed.resource_version):
        if event.type != "DELETED":
            await _bring_on(client, event.object, f"10.244.0.{next(addresses)}")


async def _bring_on(client: Client, pod: JsonObject, address: str) -> None:
    """Take the next step in the life of a pod."""
    fields, status = pod["metadata"], pod.get("status") or {}
    with contextlib.suppress(ApiError):  # it has changed since: that is the next event
        if fields.get("deletionTimestamp"):
            if fields.get("deletionGracePeriodSeconds"):
                await client.delete(PODS, fields["name"], fields["namespace"], grace_s=0)
        elif pod["spec"].get("nodeName") and status.get("phase") == "Pending":
            wanted = {"status": {**_status_of(pod), "podIP": address, "podIPs": [{"ip": address}]}}
            await client.patch(PODS, fields["name"], fields["namespace"], wanted, subresource="status")


def _status_of(pod: JsonObject) -> JsonObject:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    image = pod["spec"]["containers"][0]["image"]
    phase, code = _ENDS.get(image, ("Running", 0))
    state: JsonObject = {"running": {"startedAt": now}}
    if phase != "Running":
        state = {"terminated": {"exitCode": code, "startedAt": now, "finishedAt": now, "reason": "Completed"}}
    is_ready = phase == "Running"
    containers = [
        {
            "name": each["name"],
            "image": each["image"],
            "imageID": "",
            "ready": is_ready,
            "restartCount": 0,
            "state": state,
        }
        for each in pod["spec"]["containers"]
    ]
    text = "True" if is_ready else "False"
    listed = [
        {"type": kind, "status": text, "lastTransitionTime": now} for kind in ("Ready", "ContainersReady")
    ]
    return {"phase": phase, "startTime": now, "conditions": listed, "containerStatuses": containers}
