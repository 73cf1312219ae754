"""
What others have to agree on with the node that runs a pod.

An API server asks it for logs, exec, attach and port-forward: `kube.api` calls `PodStreams`, the node implements it,
and neither imports the other. Whoever makes pods can name companions among their containers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from bookmesh.base.kubernetes import JsonObject

if TYPE_CHECKING:
    import socket


COMPANIONS_ANNOTATION: Final = "node.bookmesh.dev/companions"
"""
Annotation of a pod: names of ordinary containers, with commas, that the node treats like sidecar containers. They start
before all others, which wait for their startup probes; they end last; and the pod has ended when the others have.
"""
MIRROR_ANNOTATION: Final = "kubernetes.io/config.mirror"
"""Annotation of a pod that only shows something which runs otherwise: a node leaves it alone."""
GIVEN_SIZE: Final = "node.bookmesh.dev/given-size"
"""Annotation of a node whose size somebody chose: requests of pods are added up on it."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Query of `GET pods/{name}/log`; None means not asked for."""

    container: str
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since_s: int | None = None
    since_time: str | None = None
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ExecOptions:
    """Query of `pods/{name}/exec`; `command` is never empty."""

    container: str
    command: tuple[str, ...]
    stdin: bool = False
    tty: bool = False


@dataclass(frozen=True, slots=True)
class AttachOptions:
    """Query of `pods/{name}/attach`; with `stdin` the client wants to write to the container too."""

    container: str
    stdin: bool = False


class StreamSession(Protocol):
    """
    A client's hold on a running command, or on the first process of a container.

    The caller must `close` it, whatever happened; that ends the command, and leaves a container alone.
    """

    def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (1 stdout | 2 stderr, data) until both are at their end; with a terminal all is stdout."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def write_eof(self) -> None: ...

    def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        """Wait for the exit code; 128 + n when signal n ended the command, and 0 whenever it was a container."""
        ...

    async def close(self) -> None: ...


class PodStreams(Protocol):
    """Raises `ApiError` 400 when the container is not running or the command cannot be started."""

    def logs(self, pod: JsonObject, options: LogOptions) -> AsyncIterator[bytes]: ...

    async def execute(self, pod: JsonObject, options: ExecOptions) -> StreamSession: ...

    async def attach(self, pod: JsonObject, options: AttachOptions) -> StreamSession: ...

    async def connect(self, pod: JsonObject, port: int) -> socket.socket:
        """
        Connect to 127.0.0.1:port as the pod sees it.

        Returns:
            A connected, non-blocking stream socket that the caller closes.

        Raises:
            OSError: nothing listens there.
        """
        ...
