"""What a cluster without a node answers to those who ask for logs, a command or a port of a pod."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import NoReturn

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import AttachOptions, ExecOptions, LogOptions, StreamSession


class AbsentNode:
    """Implements `base.pods.PodStreams` by refusing."""

    async def logs(self, pod: JsonObject, _options: LogOptions) -> AsyncIterator[bytes]:
        _refuse(pod)
        yield b""  # what makes this an iterator that refuses when it is read

    async def execute(self, pod: JsonObject, _options: ExecOptions) -> StreamSession:
        _refuse(pod)

    async def attach(self, pod: JsonObject, _options: AttachOptions) -> StreamSession:
        _refuse(pod)

    async def connect(self, pod: JsonObject, _port: int) -> socket.socket:
        _refuse(pod)


def _refuse(pod: JsonObject) -> NoReturn:
    name = pod["metadata"]["name"]
    message = f'pod "{name}" does not run: this cluster was brought up without a node'
    raise ApiError(503, "ServiceUnavailable", message)
