"""
The volumes of one pod: made before its containers, kept up to date while they run, removed after them.

    <directory>/<volume name>      on the host; containers see it by a bind mount

An emptyDir lives as long as the pod, also over restarts of the node. What comes from the API is written again when the
API object changes, all files of a volume at once; a `subPath` mount keeps what it saw when its container started. What
a claim is bound to is only shown to the pod: it was there before and stays.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import (
    atomic_directory,
    claimed_volumes,
    expansion,
    payloads,
    quantities,
    volume_groups,
)
from bookmesh.kube.node.ports import TokenIssuer, VolumeDriver
from bookmesh.kube.node.sources import SourceError, Sources
from bookmesh.kube.node.unsupported import CODE
from bookmesh.kube.sandbox import syscalls
from bookmesh.kube.sandbox.specification import Mount

_HOST_PATH_CHECKS = {"Directory": os.path.isdir, "File": os.path.isfile}


class VolumeError(Exception):
    """A volume cannot be set up now; the message names it in the kubelet's words."""


class _Tokens:
    """Service-account tokens of one pod: issued once, again when 80 % of their life is over."""

    def __init__(self, issuer: TokenIssuer) -> None:
        self._issuer = issuer
        self._held: dict[tuple[str, str], tuple[str, datetime.datetime]] = {}

    def token_for(self, pod: JsonObject, source: JsonObject) -> str:
        now = datetime.datetime.now(datetime.UTC)
        key = (source.get("audience") or "", source["path"])
        held = self._held.get(key)
        if held is None or now >= held[1]:
            token, expires = self._issuer.issue(
                namespace=pod["metadata"]["namespace"],
                service_account=pod["spec"].get("serviceAccountName") or "default",
                bound=pod,
                audiences=[key[0]] if key[0] else [],
                expiration_s=source.get("expirationSeconds") or 3600,
            )
            held = self._held[key] = (token, now + (expires - now) * 0.8)
        return held[0]

    def due_in_s(self) -> float | None:
        """Seconds until the first token should be renewed; None without tokens."""
        if not self._held:
            return None
        first = min(renew for _, renew in self._held.values())
        return max(0.0, (first - datetime.datetime.now(datetime.UTC)).total_seconds())


class PodVolumes:
    """All volumes of one pod. Not for use from two tasks at a time."""

    def __init__(
        self,
        *,
        directory: Path,
        drivers: Mapping[str, VolumeDriver],
        tokens: TokenIssuer,
        allocatable: Mapping[str, str],
        claims: Path,
        can_change_group: bool = False,
    ) -> None:
        """`claims` has a directory for each volume of the lab's provisioner; those outlive the pod."""
        self._directory = directory
        self._claims = claims
        self._can_change_group = can_change_group
        self._drivers = drivers
        self._tokens = _Tokens(tokens)
        self._allocatable = allocatable
        self._in_memory: list[Path] = []
        self._published: dict[str, JsonObject] = {}
        self._ready: dict[str, tuple[Path, bool]] = {}
        """By volume name: where it is, and whether containers may only read it."""

    async def set_up(self, pod: JsonObject, sources: Sources) -> None:
        """
        Make every volume that is not there yet. Can be called again after an error.

        Raises:
            VolumeError: the first volume that cannot be made now.
        """
        for volume in pod["spec"].get("volumes") or []:
            name = volume["name"]
            if name in self._ready:
                continue
            try:
                self._ready[name] = await self._make(pod, volume, sources)
                await self._give(pod, volume)
            except (SourceError, OSError, ValueError) as error:
                raise VolumeError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error

    async def refresh(self, pod: JsonObject, sources: Sources) -> None:
        """
        Bring files that come from the API up to date; a volume whose source is gone keeps its last files.

        Raises:
            VolumeError: a source that is not optional has gone; the other volumes are up to date.
        """
        failures = []
        for volume in pod["spec"].get("volumes") or []:
            if volume["name"] not in self._ready or not any(kind in volume for kind in payloads.KINDS):
                continue
            try:
                payload = self._payload(pod, volume, sources)
                await asyncio.to_thread(
                    atomic_directory.write_payload, self._ready[volume["name"]][0], payload
                )
                await self._give(pod, volume)
            except (SourceError, OSError) as error:
                failures.append(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}')
        if failures:
            raise VolumeError("; ".join(failures))

    def refresh_due_in_s(self) -> float | None:
        """Seconds until a token should be renewed; None when nothing changes by itself."""
        return self._tokens.due_in_s()

    def build_mounts(self, container: JsonObject, environment: Mapping[str, str]) -> tuple[Mount, ...]:
        """
        Build the mounts of a container's `volumeMounts`; a missing directory of a `subPath` is made.

        Raises:
            SourceError: a mount names no volume, or its sub-path leaves the volume.
        """
        mounts = []
        for item in container.get("volumeMounts") or []:
            if item["name"] not in self._ready:
                raise SourceError(
                    f'cannot find volume "{item["name"]}" to mount into container "{container["name"]}"'
                )
            path, read_only = self._ready[item["name"]]
            sub_path = item.get("subPath") or expansion.expand(item.get("subPathExpr") or "", environment)
            source = _sub_path(path, sub_path, container["name"]) if sub_path else path
            mounts.append(Mount(str(source), item["mountPath"], read_only or bool(item.get("readOnly"))))
        return tuple(mounts)

    async def tear_down(self, pod: JsonObject) -> None:
        """Give volumes back to their drivers and remove all files. Drivers must bear volumes they do not know."""
        for name, volume in list(self._published.items()):
            await self._drivers[volume["csi"]["driver"]].unpublish(pod, volume, self._directory / name)
            del self._published[name]
        while self._in_memory:
            syscalls.unmount(str(self._in_memory.pop()))
        self._ready.clear()
        await asyncio.to_thread(shutil.rmtree, self._directory, True)

    async def _make(self, pod: JsonObject, volume: JsonObject, sources: Sources) -> tuple[Path, bool]:
        path = self._directory / volume["name"]
        if "emptyDir" in volume:
            path.mkdir(parents=True, exist_ok=True)
            source = volume["emptyDir"] or {}
            if source.get("medium") == "Memory":
                _mount_memory(path, source.get("sizeLimit"))
                self._in_memory.append(path)
            path.chmod(0o777)
            return path, False
        if any(kind in volume for kind in payloads.KINDS):
            payload = self._payload(pod, volume, sources)
            await asyncio.to_thread(atomic_directory.write_payload, path, payload)
            return path, True
        if source := volume.get("persistentVolumeClaim"):
            return self._claimed(source["claimName"], sources), bool(source.get("readOnly"))
        if volume.get("ephemeral"):
            return self._claimed(agreed.ephemeral_name(pod, volume), sources), False
        if source := volume.get("hostPath"):
            return _host_path(source), False
        if source := volume.get("csi"):
            driver = self._drivers.get(source["driver"])
            if driver is None:
                known = ", ".join(sorted(self._drivers)) or "none"
                raise SourceError(
                    f"driver name {source['driver']} not found in the list of CSI drivers ({known})"
                )
            path.mkdir(parents=True, exist_ok=True)
            await driver.publish(pod, volume, path)
            self._published[volume["name"]] = volume
            return path, bool(source.get("readOnly"))
        kinds = ", ".join(key for key in volume if key != "name")
        raise SourceError(
            f"{CODE} volumes of kind {kinds} cannot be made here; use emptyDir, a claim, hostPath or csi"
        )

    async def _give(self, pod: JsonObject, volume: JsonObject) -> None:
        """Give a volume to the pod's group; directories of the host stay whose they are."""
        gid = (pod["spec"].get("securityContext") or {}).get("fsGroup")
        if gid is None or not self._can_change_group or volume.get("hostPath") or volume.get("csi"):
            return
        path, read_only = self._ready[volume["name"]]
        if self._directory in path.parents or self._claims in path.parents:
            await asyncio.to_thread(volume_groups.give, path, gid, read_only=read_only)

    def _claimed(self, claim: str, sources: Sources) -> Path:
        return claimed_volumes.make_directory(claimed_volumes.find_volume(claim, sources), self._claims)

    def _payload(self, pod: JsonObject, volume: JsonObject, sources: Sources) -> payloads.Payload:
        return payloads.build_payload(
            volume,
            pod=pod,
            sources=sources,
            token_for=lambda source: self._tokens.token_for(pod, source),
            allocatable=self._allocatable,
        )


def _mount_memory(path: Path, size_limit: str | None) -> None:
    """A tmpfs in this process's mount namespace, which the lab has for itself."""
    size = f",size={int(quantities.parse_quantity(size_limit))}" if size_limit else ""
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV
    syscalls.mount("tmpfs", str(path), "tmpfs", flags, f"mode=777{size}")


def _host_path(source: JsonObject) -> Path:
    """A path of the host as it is; nothing is ever made there."""
    path, wanted = source["path"], (source.get("type") or "").removesuffix("OrCreate")
    if not _HOST_PATH_CHECKS.get(wanted, os.path.exists)(path):
        what = wanted.lower() or "path"
        raise SourceError(
            f"hostPath type check failed: {path} is not a {what} of the host, and none is made there"
        )
    return Path(path).resolve()


def _sub_path(volume: Path, sub_path: str, container: str) -> Path:
    root = volume.resolve()
    target = (root / sub_path).resolve()
    if sub_path.startswith("/") or not target.is_relative_to(root):
        raise SourceError(f'failed to prepare subPath for volumeMount of container "{container}": {sub_path}')
    if not target.exists():
        target.mkdir(parents=True)
        target.chmod(0o777)
    return target
