"""The Node object: what `kubectl get nodes` and the scheduler see of this machine."""

from __future__ import annotations

import asyncio
import datetime
import logging
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bookmesh.base import cluster
from bookmesh.base.kubernetes import NODES, ApiError, Client, JsonObject, Resource
from bookmesh.base.pods import GIVEN_SIZE
from bookmesh.kube.node import images, records

LEASES = Resource("coordination.k8s.io", "v1", "leases")
_log = logging.getLogger(__name__)
_LEASE_NAMESPACE = "kube-node-lease"
_LEASE_S = 10.0
_LEASES_PER_STATUS = 30
_MAX_PODS = "250"
_MOST_IMAGES = 50
_MOST_NAMES = 5
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Type, status, reason and message of each condition of a node that is well, in a kubelet's words.
_HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts about the host."""

    kernel: str
    os_image: str
    architecture: str
    machine_id: str
    boot_id: str
    capacity: Mapping[str, str]


def read_machine(directory: Path) -> Machine:
    """Ask the host; `directory` is where pods keep their files."""
    memory_kib = next(
        int(line.split()[1]) for line in _read("/proc/meminfo").splitlines() if line.startswith("MemTotal:")
    )
    disk = os.statvfs(directory)
    release = dict(line.split("=", 1) for line in _read("/etc/os-release").splitlines() if "=" in line)
    machine = platform.machine()
    return Machine(
        kernel=platform.release(),
        os_image=release.get("PRETTY_NAME", "Linux").strip('"'),
        architecture=_ARCHITECTURES.get(machine, machine),
        machine_id=_read("/etc/machine-id").strip(),
        boot_id=_read("/proc/sys/kernel/random/boot_id").strip(),
        capacity={
            "cpu": str(len(os.sched_getaffinity(0))),
            "memory": f"{memory_kib}Ki",
            "ephemeral-storage": f"{disk.f_blocks * disk.f_frsize // 1024}Ki",
            "pods": _MAX_PODS,
        },
    )


def build_node(
    machine: Machine,
    *,
    name: str,
    host_ip: str,
    now: datetime.datetime,
    size: Mapping[str, str] | None = None,
) -> JsonObject:
    """
    Build the whole object of a ready node. Pure.

    `size` is what it shall offer in place of what the machine has; requests of pods are added up then.
    """
    capacity = {**machine.capacity, **(size or {})}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": machine.architecture,
            },
            **({"annotations": {GIVEN_SIZE: "true"}} if size else {}),
        },
        "spec": {"podCIDR": cluster.POD_NETWORK, "podCIDRs": [cluster.POD_NETWORK]},
        "status": {
            "capacity": capacity,
            "allocatable": dict(capacity),
            "conditions": _healthy_conditions(records.format_time(now)),
            "addresses": [{"type": "InternalIP", "address": host_ip}, {"type": "Hostname", "address": name}],
            "nodeInfo": _node_info(machine),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        },
    }


def _healthy_conditions(moment: str) -> list[JsonObject]:
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": moment,
            "lastTransitionTime": moment,
        }
        for kind, status, reason, message in _HEALTHY
    ]


def _node_info(machine: Machine) -> JsonObject:
    return {
        "machineID": machine.machine_id,
        "systemUUID": machine.machine_id,
        "bootID": machine.boot_id,
        "kernelVersion": machine.kernel,
        "osImage": machine.os_image,
        "containerRuntimeVersion": f"bookmesh://{cluster.KUBERNETES_VERSION}",
        "kubeletVersion": f"v{cluster.KUBERNETES_VERSION}",
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": machine.architecture,
    }


def with_images(node: JsonObject, listed: Sequence[images.Listed]) -> JsonObject:
    """The node with what is loaded, the largest first; of many it shows some, and of many names, as a kubelet does."""
    shown = sorted(listed, key=lambda each: (-each.bytes, each.names))[:_MOST_IMAGES]
    entries = [{"names": list(each.names[:_MOST_NAMES]), "sizeBytes": each.bytes} for each in shown]
    return {**node, "status": {**node["status"], "images": entries}}


async def register(client: Client, node: JsonObject) -> None:
    """Create the object, or bring the one from before a restart up to date; its labels and taints stay."""
    name = node["metadata"]["name"]
    try:
        await client.create(NODES, node)
    except ApiError as error:
        if error.code != 409:
            raise
        size = (node["metadata"].get("annotations") or {}).get(GIVEN_SIZE)
        fields = {"labels": node["metadata"]["labels"], "annotations": {GIVEN_SIZE: size}}
        await client.patch(NODES, name, "", {"metadata": fields})
    await client.patch(NODES, name, "", {"status": node["status"]}, subresource="status")


async def beat(client: Client, node: JsonObject, resolver: images.ImageResolver) -> None:
    """
    Say for ever that the node is alive: its lease every ten seconds, its status every five minutes.

    The status is told at once, that is with the next lease, when images have come or gone.
    """
    beats, told = 0, resolver.version()
    while True:
        now = datetime.datetime.now(datetime.UTC)
        try:
            await _renew_lease(client, node["metadata"]["name"], now)
            version = resolver.version()
            if version != told or (beats and beats % _LEASES_PER_STATUS == 0):
                await register(client, with_images(_beaten(node, now), resolver.listed()))
                told = version
        except ApiError as error:
            _log.warning("heartbeat of the node not written: %s", error.message)
        beats += 1
        await asyncio.sleep(_LEASE_S)


async def _renew_lease(client: Client, name: str, now: datetime.datetime) -> None:
    moment = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    try:
        await client.patch(LEASES, name, _LEASE_NAMESPACE, {"spec": {"renewTime": moment}})
    except ApiError as error:
        if error.code != 404:
            raise
        lease = {
            "apiVersion": LEASES.api_version,
            "kind": "Lease",
            "metadata": {"name": name, "namespace": _LEASE_NAMESPACE},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": moment},
        }
        await client.create(LEASES, lease)


def _beaten(node: JsonObject, now: datetime.datetime) -> JsonObject:
    moment = records.format_time(now)
    conditions = [{**item, "lastHeartbeatTime": moment} for item in node["status"]["conditions"]]
    return {**node, "status": {**node["status"], "conditions": conditions}}


def _read(path: str) -> str:
    """A file of the host; "" when it does not have it."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
