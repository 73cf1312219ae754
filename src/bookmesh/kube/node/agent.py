"""
The node: one worker for each pod that is bound to it, and what an API server asks of it.

    node = Node(client=..., forks=fork_server, ...)
    task = asyncio.create_task(node.run())      # until cancelled
    await node.stop(grace_s=5)                  # ends all pods; their objects stay
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bookmesh.base.kubernetes import CONFIG_MAPS, PODS, SECRETS, Client, JsonObject, WatchEvent
from bookmesh.base.pods import MIRROR_ANNOTATION, AttachOptions, ExecOptions, LogOptions, StreamSession
from bookmesh.kube.node import (
    following,
    measuring,
    memory_limits,
    network_files,
    node_object,
    streams,
    volume_limits,
    volume_removal,
)
from bookmesh.kube.node.addresses import PodAddresses
from bookmesh.kube.node.back_off import BackOffLimits
from bookmesh.kube.node.context import Machinery, Settings
from bookmesh.kube.node.events import EventRecorder
from bookmesh.kube.node.images import ImageResolver
from bookmesh.kube.node.metrics import Metrics
from bookmesh.kube.node.pod_worker import PodWorker
from bookmesh.kube.node.ports import Forks, Network, NetworkHook, TokenIssuer, VolumeDriver
from bookmesh.kube.sandbox.namespaces import NetworkNamespace

_log = logging.getLogger(__name__)
_KILL_S = 5.0
_RESTART_BACK_OFF = BackOffLimits()
_MEASURED_EVERY_S = 5.0
_LIMITED_EVERY_S = 1.0


class Node:
    """The kubelet of the lab; implements `base.pods.PodStreams`. Belongs to one event loop."""

    def __init__(
        self,
        *,
        client: Client,
        forks: Forks,
        network: Network,
        images: ImageResolver,
        volume_drivers: Mapping[str, VolumeDriver],
        network_hooks: Sequence[NetworkHook],
        tokens: TokenIssuer,
        directory: Path,
        host_ip: str,
        node_name: str = "bookmesh",
        restart_back_off: BackOffLimits = _RESTART_BACK_OFF,
        metrics: Metrics | None = None,
        size: Mapping[str, str] | None = None,
        create_namespace: Callable[[], NetworkNamespace] = NetworkNamespace.create,
    ) -> None:
        """`size` is what the node offers in place of what the machine has, such as `cpu`; see `node_object`."""
        directory.mkdir(parents=True, exist_ok=True)
        machine = node_object.read_machine(directory)
        settings = Settings(
            directory=directory,
            node_name=node_name,
            host_ip=host_ip,
            resolver=network_files.read_resolver(),
            allocatable={**machine.capacity, **(size or {})},
            restart_back_off=restart_back_off,
        )
        self._node = node_object.build_node(
            machine,
            name=node_name,
            host_ip=host_ip,
            now=datetime.datetime.now(datetime.UTC),
            size=size,
        )
        self.machinery = Machinery(
            client=client,
            forks=forks,
            network=network,
            images=images,
            volume_drivers=volume_drivers,
            network_hooks=network_hooks,
            tokens=tokens,
            events=EventRecorder(client, node_name=node_name),
            settings=settings,
            create_namespace=create_namespace,
        )
        self._metrics = metrics
        self._addresses = PodAddresses()
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._broken: set[str] = set()
        self._is_stopping = False
        self._knows_pods = False

    async def run(self) -> None:
        """Register the node and run its pods, until cancelled; raises when the API cannot be used."""
        client = self.machinery.client
        images = self.machinery.images
        await node_object.register(client, node_object.with_images(self._node, images.listed()))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.machinery.events.run())
            group.create_task(node_object.beat(client, self._node, images))
            if self._metrics is not None:
                group.create_task(self._measure(self._metrics))
            group.create_task(volume_limits.enforce(self._workers.values, interval_s=_MEASURED_EVERY_S))
            group.create_task(memory_limits.enforce(self._workers.values, interval_s=_LIMITED_EVERY_S))
            removal = volume_removal.VolumeRemoval(client, self.machinery.settings.claims_directory)
            group.create_task(removal.run())
            group.create_task(self._follow_sources("ConfigMap"))
            group.create_task(self._follow_sources("Secret"))
            group.create_task(
                following.follow(client, PODS, on_list=self._on_pods, on_event=self._on_pod_event)
            )

    async def stop(self, grace_s: float) -> None:
        """
        End every pod within about `grace_s`; their API objects stay. No new pod starts any more.

        `run` should still go on meanwhile, so that statuses and events are written.
        """
        self._is_stopping = True
        for worker in self._workers.values():
            worker.stop(grace_s)
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s + _KILL_S)

    def logs(self, pod: JsonObject, options: LogOptions) -> AsyncIterator[bytes]:
        """Read a container's log; see `base.pods.PodStreams`."""
        worker = self._workers.get(pod["metadata"]["uid"])
        if worker is None:
            return streams.open_logs(None, None, self.machinery.settings, pod, options)
        runner = worker.runners.get(options.container)
        return streams.open_logs(worker.context, runner, self.machinery.settings, pod, options)

    async def execute(self, pod: JsonObject, options: ExecOptions) -> StreamSession:
        """Start a command in a container; see `base.pods.PodStreams`."""
        worker = self._worker(pod)
        return await streams.execute(worker.context, worker.runners.get(options.container), options)

    async def attach(self, pod: JsonObject, options: AttachOptions) -> StreamSession:
        """Attach to the first process of a container; see `base.pods.PodStreams`."""
        worker = self._worker(pod)
        return streams.attach(worker.context, worker.runners.get(options.container), options)

    async def connect(self, pod: JsonObject, port: int) -> socket.socket:
        """Connect to a port inside a pod; see `base.pods.PodStreams`."""
        return await streams.connect(self._worker(pod).context, port)

    async def _measure(self, board: Metrics) -> None:
        await measuring.measure(board, self._workers.values, self._node, interval_s=_MEASURED_EVERY_S)

    def _worker(self, pod: JsonObject) -> PodWorker:
        worker = self._workers.get(pod["metadata"]["uid"])
        if worker is None:
            raise streams.bad_request(f"pod {pod['metadata']['name']} does not run on this node")
        return worker

    def _on_pods(self, pods: list[JsonObject]) -> None:
        ours = {pod["metadata"]["uid"]: pod for pod in pods if self._is_ours(pod)}
        if not self._knows_pods:
            self._knows_pods = True
            self._addresses.reserve(
                (uid, pod["status"]["podIP"])
                for uid, pod in ours.items()
                if (pod.get("status") or {}).get("podIP")
                and pod["status"].get("phase") in ("Pending", "Running")
            )
            self._remove_left_overs(ours)
        for uid in [uid for uid in self._workers if uid not in ours]:
            self._workers[uid].vanish()
        for pod in ours.values():
            self._on_pod(pod)

    def _on_pod_event(self, event: WatchEvent) -> None:
        if not self._is_ours(event.object):
            return
        if event.type != "DELETED":
            self._on_pod(event.object)
        elif worker := self._workers.get(event.object["metadata"]["uid"]):
            worker.vanish()

    def _on_pod(self, pod: JsonObject) -> None:
        uid = pod["metadata"]["uid"]
        if worker := self._workers.get(uid):
            worker.update(pod)
            return
        if self._is_stopping or (uid in self._broken and not pod["metadata"].get("deletionTimestamp")):
            return
        worker = self._workers[uid] = PodWorker(self.machinery, pod, addresses=self._addresses)
        task = self._tasks[uid] = asyncio.create_task(worker.run(), name=f"pod {worker.context.full_name}")
        task.add_done_callback(lambda ended: self._forget(uid, pod, ended))

    def _forget(self, uid: str, pod: JsonObject, task: asyncio.Task[Any]) -> None:
        self._workers.pop(uid, None)
        self._tasks.pop(uid, None)
        self._broken.discard(uid)
        if not task.cancelled() and (error := task.exception()):
            self._broken.add(uid)
            _log.error("%s ended by an error of the node", task.get_name(), exc_info=error)
            self.machinery.events.warning(pod, "InternalError", f"the node failed to run this pod: {error!r}")

    def _is_ours(self, pod: JsonObject) -> bool:
        """A mirror pod only shows what runs on the node by itself."""
        is_mirror = MIRROR_ANNOTATION in (pod["metadata"].get("annotations") or {})
        return bool(pod["spec"].get("nodeName") == self.machinery.settings.node_name) and not is_mirror

    def _remove_left_overs(self, ours: Mapping[str, JsonObject]) -> None:
        """Remove files of pods that went while the node was down."""
        directory = self.machinery.settings.directory
        logs = {self.machinery.settings.log_directory(pod).name for pod in ours.values()}
        for parent, kept in ((directory / "volumes", set(ours)), (directory / "pods", logs)):
            for path in parent.iterdir() if parent.is_dir() else ():
                if path.name not in kept:
                    shutil.rmtree(path, ignore_errors=True)

    async def _follow_sources(self, kind: str) -> None:
        def on_list(_items: list[JsonObject]) -> None:
            for worker in self._workers.values():
                worker.context.note_sources_change()

        def on_event(event: WatchEvent) -> None:
            metadata = event.object["metadata"]
            for worker in self._workers.values():
                if worker.context.pod["metadata"]["namespace"] == metadata["namespace"] and worker.refers_to(
                    kind, metadata["name"]
                ):
                    worker.context.note_sources_change()

        resource = CONFIG_MAPS if kind == "ConfigMap" else SECRETS
        await following.follow(self.machinery.client, resource, on_list=on_list, on_event=on_event)
