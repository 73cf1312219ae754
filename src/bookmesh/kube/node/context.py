"""What everything that runs pods shares: the ports and settings of the node, and the present state of one pod."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bookmesh.base.kubernetes import (
    CONFIG_MAPS,
    SECRETS,
    VOLUME_CLAIMS,
    VOLUMES,
    ApiError,
    Client,
    JsonObject,
    Resource,
)
from bookmesh.kube.node import network_files, records, sources
from bookmesh.kube.node.back_off import BackOffLimits
from bookmesh.kube.node.events import EventRecorder
from bookmesh.kube.node.images import ImageResolver
from bookmesh.kube.node.ports import Forks, Network, NetworkHook, TokenIssuer, VolumeDriver
from bookmesh.kube.node.volumes import PodVolumes
from bookmesh.kube.node.waiting import Signal
from bookmesh.kube.sandbox.namespaces import NetworkNamespace


@dataclass(frozen=True, slots=True)
class Settings:
    """What does not change while the node runs."""

    directory: Path
    node_name: str
    host_ip: str
    resolver: network_files.Resolver = field(default_factory=network_files.Resolver)
    allocatable: Mapping[str, str] = field(default_factory=dict)
    restart_back_off: BackOffLimits = field(default_factory=BackOffLimits)
    image_back_off: BackOffLimits = field(default_factory=BackOffLimits)
    set_up_back_off: BackOffLimits = field(
        default_factory=lambda: BackOffLimits(initial_s=0.5, maximum_s=120.0, reset_s=600.0)
    )

    def log_directory(self, pod: JsonObject) -> Path:
        """Where the logs of a pod's containers are, a directory for each container."""
        metadata = pod["metadata"]
        return self.directory / "pods" / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"

    def volume_directory(self, uid: str) -> Path:
        return self.directory / "volumes" / uid

    @property
    def claims_directory(self) -> Path:
        """What is in volumes of the lab's provisioner, by name of the volume."""
        return self.directory / "claims"


@dataclass(frozen=True, slots=True)
class Machinery:
    """The ports of one node, and its settings."""

    client: Client
    forks: Forks
    network: Network
    images: ImageResolver
    volume_drivers: Mapping[str, VolumeDriver]
    network_hooks: Sequence[NetworkHook]
    tokens: TokenIssuer
    events: EventRecorder
    settings: Settings
    create_namespace: Callable[[], NetworkNamespace] = NetworkNamespace.create

    async def read_sources(self, pod: JsonObject) -> sources.Sources:
        """Read every ConfigMap, Secret and claim that the pod refers to and that exists, and the claims' volumes."""
        namespace = pod["metadata"]["namespace"]
        references = sources.references_of(pod)
        claims = await self._read(VOLUME_CLAIMS, references.claims, namespace)
        bound = frozenset(filter(None, (each["spec"].get("volumeName") for each in claims.values())))
        return sources.Sources(
            namespace=namespace,
            config_maps=await self._read(CONFIG_MAPS, references.config_maps, namespace),
            secrets=await self._read(SECRETS, references.secrets, namespace),
            claims=claims,
            volumes=await self._read(VOLUMES, bound, ""),
        )

    async def _read(
        self, resource: Resource, names: frozenset[str], namespace: str
    ) -> dict[str, dict[str, Any]]:
        found = {}
        for name in sorted(names):
            try:
                found[name] = await self.client.get(resource, name, namespace)
            except ApiError as error:
                if error.code != 404:
                    raise
        return found


class PodContext:
    """
    One pod as its tasks see it.

    Attributes:
        pod: the latest version from the API; use `addressed_pod` where its address matters.
        sources_changed: fires when a ConfigMap or Secret the pod refers to, or the pod itself, changed;
            `sources_version` counts that, so that a change while the sources are being read is not missed.
        status_changed: fires when `record` changed; the status is then written.
    """

    def __init__(self, machinery: Machinery, pod: JsonObject, *, now: datetime.datetime) -> None:
        settings = machinery.settings
        self.machinery = machinery
        self.pod = pod
        self.record = records.initial_record(pod, now=now)
        self.record.host_ip = settings.host_ip
        self.netns: NetworkNamespace | None = None
        self.volumes = PodVolumes(
            directory=settings.volume_directory(pod["metadata"]["uid"]),
            drivers=machinery.volume_drivers,
            tokens=machinery.tokens,
            allocatable=settings.allocatable,
            claims=settings.claims_directory,
            can_change_group=machinery.forks.can_change_user,
        )
        self.sources_changed = Signal()
        self.sources_version = 0
        self.status_changed = Signal()

    @property
    def uid(self) -> str:
        uid: str = self.pod["metadata"]["uid"]
        return uid

    @property
    def open_netns(self) -> NetworkNamespace:
        """The pod's network namespace; RuntimeError before it is set up and after it is torn down."""
        if self.netns is None:
            raise RuntimeError(f"pod {self.full_name} has no network namespace")
        return self.netns

    @property
    def full_name(self) -> str:
        """name_namespace(uid), as the kubelet names pods in messages."""
        metadata = self.pod["metadata"]
        return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"

    @property
    def restart_policy(self) -> str:
        policy: str = self.pod["spec"].get("restartPolicy", "Always")
        return policy

    @property
    def grace_s(self) -> int:
        """How long containers get to end; what a deletion says wins over the specification."""
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        default: int = spec.get("terminationGracePeriodSeconds", 30)
        grace: int | None = metadata.get("deletionGracePeriodSeconds")
        return default if grace is None else grace

    def note_sources_change(self) -> None:
        """Wake everybody who depends on ConfigMaps, Secrets or the pod's metadata."""
        self.sources_version += 1
        self.sources_changed.fire()

    async def sources_change_after(self, version: int) -> None:
        """Wait for a change that came after `sources_version` was `version`; it may have come already."""
        while self.sources_version == version:
            await self.sources_changed.wait()

    def addressed_pod(self) -> JsonObject:
        """The pod with its addresses in `status`, also before the API has them."""
        status = dict(self.pod.get("status") or {})
        status |= {"hostIP": self.record.host_ip, "hostIPs": [{"ip": self.record.host_ip}]}
        if self.record.ip:
            status |= {"podIP": self.record.ip, "podIPs": [{"ip": self.record.ip}]}
        return {**self.pod, "status": status}

    def log_path(self, container: str, run: int) -> Path:
        return self.machinery.settings.log_directory(self.pod) / container / f"{run}.log"
