"""Logs, exec, attach and port-forward for the pods of this node: the node's half of `base.pods.PodStreams`."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import socket
import struct
import termios
from collections.abc import AsyncIterator

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import AttachOptions, ExecOptions, LogOptions
from bookmesh.kube.node import descriptors, log_reading, standard_streams, waiting
from bookmesh.kube.node.container_run import ContainerRun
from bookmesh.kube.node.containers import ContainerRunner
from bookmesh.kube.node.context import PodContext, Settings
from bookmesh.kube.node.ports import Process
from bookmesh.kube.node.records import ContainerRecord, Terminated, Waiting
from bookmesh.kube.sandbox.forking import SandboxError

_STDOUT, _STDERR = 1, 2
_CHUNKS_AHEAD = 16
# Where there is one user only, `kubectl cp` could not give the files the owner that they had outside.
_TAR_OPTIONS = "--no-same-owner"


def open_logs(
    context: PodContext | None,
    runner: ContainerRunner | None,
    settings: Settings,
    pod: JsonObject,
    options: LogOptions,
) -> AsyncIterator[bytes]:
    """
    Find the log that is meant and begin to read it.

    Args:
        context: of a pod this node runs; without it only files are left, of a pod that has ended.

    Raises:
        ApiError: 400, no such container, or it has not run (that often) yet.
    """
    name = options.container
    if context is not None:
        record = _record(context, name)
        count = record.restart_count
    else:
        count = _restart_count(pod, name)
        record = None
    run = runner.current if runner is not None else None
    waits = record is not None and isinstance(record.state, Waiting)
    if options.previous:
        # While a container waits to be started again, its last run is both the present and the previous one.
        number = count if waits and record is not None and record.last and run is None else count - 1
    else:
        number = count
    path = settings.log_directory(pod) / name / f"{number}.log"
    if number < 0 or not path.exists():
        raise _no_log(pod, name, record, previous=options.previous)
    live = run.log if run is not None and run.log.path == path else None
    return log_reading.read_log(path, options, live=live)


async def execute(
    context: PodContext, runner: ContainerRunner | None, options: ExecOptions
) -> PodExecSession:
    """
    Start a command beside a running container.

    Raises:
        ApiError: 400, the container does not run; 500, the command cannot be started.
    """
    run, running = _running(context, runner, options.container)
    env = dict(run.spec.env)
    if options.tty:
        env.setdefault("TERM", "xterm")
    if not context.machinery.forks.can_change_user:
        env.setdefault("TAR_OPTIONS", _TAR_OPTIONS)
    pipes = _Terminal() if options.tty else _Pipes(stdin=options.stdin)
    try:
        process = await context.machinery.forks.execute(
            running.pid,
            argv=options.command,
            env=env,
            cwd=run.spec.cwd,
            uid=run.spec.uid,
            gid=run.spec.gid,
            groups=run.spec.groups,
            stdin=pipes.theirs[0],
            stdout=pipes.theirs[1],
            stderr=pipes.theirs[2],
            tty=options.tty,
        )
    except SandboxError as error:
        pipes.close_ours()
        raise _not_started(error) from error
    finally:
        pipes.close_theirs()
    return PodExecSession(process, pipes)


def attach(
    context: PodContext, runner: ContainerRunner | None, options: AttachOptions
) -> standard_streams.Attachment:
    """
    Attach to a running container.

    Raises:
        ApiError: 400, the container does not run.
    """
    run, _ = _running(context, runner, options.container)
    return run.streams.attach(stdin=options.stdin)


async def connect(context: PodContext, port: int) -> socket.socket:
    """Connect to 127.0.0.1:port inside the pod. Raises OSError."""
    if context.netns is None:
        raise ConnectionRefusedError(f"pod {context.full_name} has no network")
    loop = asyncio.get_running_loop()
    connection = await loop.run_in_executor(None, context.netns.socket, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await loop.sock_connect(connection, ("127.0.0.1", port))
    except BaseException:
        connection.close()
        raise
    return connection


def bad_request(message: str) -> ApiError:
    """400 as the API server passes it on from a node."""
    return ApiError(400, "BadRequest", message)


class _Pipes:
    """A pipe for each stream; without `stdin` the command reads nothing."""

    def __init__(self, *, stdin: bool) -> None:
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        in_read, in_write = os.pipe2(os.O_CLOEXEC) if stdin else (nothing, None)
        if stdin:
            os.close(nothing)
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        err_read, err_write = os.pipe2(os.O_CLOEXEC)
        self.theirs = (in_read, out_write, err_write)
        self.readers = {
            _STDOUT: descriptors.DescriptorReader(out_read),
            _STDERR: descriptors.DescriptorReader(err_read),
        }
        self.writer = None if in_write is None else descriptors.DescriptorWriter(in_write)
        self.terminal: int | None = None

    def close_theirs(self) -> None:
        for fd in set(self.theirs):
            os.close(fd)

    def close_ours(self) -> None:
        for reader in self.readers.values():
            reader.close()
        if self.writer is not None:
            self.writer.close()


class _Terminal(_Pipes):
    """A pseudo-terminal for all streams; `terminal` is the side that takes a new size."""

    def __init__(self) -> None:
        ours, theirs = os.openpty()
        self.theirs = (theirs, theirs, theirs)
        self.readers = {_STDOUT: descriptors.DescriptorReader(ours)}
        self.terminal = os.dup(ours)
        self.writer = descriptors.DescriptorWriter(self.terminal)


class PodExecSession:
    """One running command: `base.pods.StreamSession`."""

    def __init__(self, process: Process, pipes: _Pipes) -> None:
        self._process = process
        self._pipes = pipes
        self._chunks: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(_CHUNKS_AHEAD)
        self._pumps = [asyncio.create_task(self._pump(number)) for number in pipes.readers]

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (1 stdout | 2 stderr, data) until all streams are at their end. For one consumer."""
        open_streams = len(self._pumps)
        while open_streams:
            number, data = await self._chunks.get()
            if data:
                yield number, data
            else:
                open_streams -= 1

    async def write(self, data: bytes) -> None:
        """Give the command input; dropped when it takes none."""
        if self._pipes.writer is not None:
            await self._pipes.writer.write(data)

    async def write_eof(self) -> None:
        """End the command's input; on a terminal that is the end-of-file character."""
        if self._pipes.terminal is not None:
            await self.write(b"\x04")
        elif self._pipes.writer is not None:
            self._pipes.writer.close()

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal its size; nothing without one."""
        if self._pipes.terminal is not None:
            fcntl.ioctl(self._pipes.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait(self) -> int:
        try:
            return (await self._process.wait()).code
        except SandboxError as error:
            raise bad_request(str(error)) from error

    async def close(self) -> None:
        """End the command and all it started. Idempotent."""
        self._process.end_session()
        await waiting.end_tasks(self._pumps)
        self._pipes.close_ours()
        self._pipes.terminal = None

    async def _pump(self, number: int) -> None:
        reader = self._pipes.readers[number]
        while data := await reader.read():
            await self._chunks.put((number, data))
        await self._chunks.put((number, b""))


def _running(context: PodContext, runner: ContainerRunner | None, name: str) -> tuple[ContainerRun, Process]:
    """The present run of a container and its process; raises 400 when there is none."""
    run = runner.current if runner is not None else None
    if run is None or run.process is None:
        _record(context, name)
        raise bad_request(f"container {name} is not running in pod {context.pod['metadata']['name']}")
    return run, run.process


def _not_started(error: SandboxError) -> ApiError:
    """A command that cannot be started is an internal error, in the words that people know from containerd and runc."""
    doing = "error executing command in container: failed to exec in container: failed to start exec"
    runtime = f"OCI runtime exec failed: exec failed: unable to start container process: {error}"
    text = f'Internal error occurred: {doing} "{secrets.token_hex(32)}": {runtime}'
    return ApiError(500, "InternalError", text)


def _record(context: PodContext, name: str) -> ContainerRecord:
    for record in context.record.containers:
        if record.name == name:
            return record
    raise bad_request(f"container {name} is not valid for pod {context.pod['metadata']['name']}")


def _restart_count(pod: JsonObject, name: str) -> int:
    status = pod.get("status") or {}
    for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for item in status.get(key) or []:
            if item["name"] == name:
                count: int = item.get("restartCount", 0)
                return count
    raise bad_request(f"container {name} is not valid for pod {pod['metadata']['name']}")


def _no_log(pod: JsonObject, name: str, record: ContainerRecord | None, *, previous: bool) -> ApiError:
    pod_name = pod["metadata"]["name"]
    if previous:
        return bad_request(f'previous terminated container "{name}" in pod "{pod_name}" not found')
    if record is not None and isinstance(record.state, Waiting):
        return bad_request(
            f'container "{name}" in pod "{pod_name}" is waiting to start: {record.state.reason}'
        )
    state = "terminated" if record is not None and isinstance(record.state, Terminated) else "starting"
    return bad_request(f'container "{name}" in pod "{pod_name}" is {state} and has no log')
