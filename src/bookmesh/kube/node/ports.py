"""
The ports of the node: what it asks of the sandbox and of whoever wires the lab.

The sandbox's own classes fit the first half by shape, so that the life of a pod can be tested without a kernel.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.sandbox.forking import Exit
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.specification import SandboxSpec


class Process(Protocol):
    """A sandboxed process; any number of tasks may wait for it. A signal to one that has ended does nothing."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> Exit: ...

    def signal(self, number: int, /) -> None: ...

    def end_session(self) -> None:
        """Kill it and all that it started, for a process of `execute`."""
        ...


class Forks(Protocol):
    """The fork server. Both methods raise `SandboxError`; the file descriptors stay the caller's to close."""

    @property
    def can_change_user(self) -> bool: ...

    async def run(
        self,
        spec: SandboxSpec,
        *,
        netns: int,
        stdin: int | None = None,
        stdout: int,
        stderr: int,
        tty: bool = False,
        beside: int | None = None,
    ) -> Process: ...

    async def execute(
        self,
        pid: int,
        *,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        uid: int | None,
        gid: int | None,
        groups: Sequence[int],
        stdin: int,
        stdout: int,
        stderr: int,
        tty: bool,
    ) -> Process: ...


class Network(Protocol):
    """The network that all pods of the node are on. The methods block, and may be called from any thread."""

    @property
    def namespace(self) -> NetworkNamespace:
        """Where the node itself is: pods are reached, and probed, from here."""
        ...

    def attach(self, netns: NetworkNamespace, ip: str, /) -> None:
        """Give a pod its eth0 with this address, and a way to all others. Raises OSError."""
        ...

    def detach(self, ip: str, /) -> None: ...


class VolumeDriver(Protocol):
    """Serves `csi: {driver: NAME}` volumes. `pod` carries its address in `status.podIP`."""

    async def publish(self, pod: JsonObject, volume: JsonObject, directory: Path) -> None:
        """Fill the empty `directory`, which containers will see. Raises OSError or ValueError to try again later."""
        ...

    async def unpublish(self, pod: JsonObject, volume: JsonObject, directory: Path) -> None: ...


class NetworkHook(Protocol):
    """Changes a pod's network after eth0 is up and before any container runs; called in a thread. Raises OSError."""

    def apply(self, pod: JsonObject, netns: NetworkNamespace) -> None: ...


class TokenIssuer(Protocol):
    """Issues service-account tokens."""

    def issue(
        self,
        *,
        namespace: str,
        service_account: str,
        bound: JsonObject | None,
        audiences: Sequence[str],
        expiration_s: int,
    ) -> tuple[str, datetime.datetime]:
        """Sign a token that is good while `bound` is there; returns it and the UTC time of its end."""
        ...
