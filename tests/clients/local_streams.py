"""What stands for pods in the tests of clients: lines that a test writes, commands and listeners of this machine."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import socket
import struct
import termios
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import AttachOptions, ExecOptions, LogOptions


def environment() -> dict[str, str]:
    """What programs get of this process's environment."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


class LocalSession:
    """A command of this machine in place of one in a pod."""

    def __init__(self, process: asyncio.subprocess.Process, master: int | None) -> None:
        self._process, self._master = process, master

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        if self._master is not None:
            reader = asyncio.StreamReader()
            pipe = os.fdopen(os.dup(self._master), "rb", 0)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
            sources = {1: reader}
        else:
            transport = None
            assert self._process.stdout
            assert self._process.stderr
            sources = {1: self._process.stdout, 2: self._process.stderr}
        tasks = [asyncio.create_task(_pump(source, channel, queue)) for channel, source in sources.items()]
        open_count = len(tasks)
        try:
            while open_count:
                channel, data = await queue.get()
                if data:
                    yield channel, data
                else:
                    open_count -= 1
        finally:
            for task in tasks:
                task.cancel()
            if transport is not None:
                transport.close()

    async def write(self, data: bytes) -> None:
        if self._master is not None:
            os.write(self._master, data)
        elif self._process.stdin:
            self._process.stdin.write(data)
            await self._process.stdin.drain()

    async def write_eof(self) -> None:
        if self._master is not None:
            os.write(self._master, b"\4")
        elif self._process.stdin:
            self._process.stdin.close()

    def resize(self, columns: int, rows: int) -> None:
        if self._master is not None:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait(self) -> int:
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    async def close(self) -> None:
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        if self._master is not None:
            os.close(self._master)
            self._master = None


class FollowingSession:
    """What the containers of these tests say from now on, and what is said to them."""

    def __init__(self, streams: LocalStreams) -> None:
        self._streams = streams
        self._position = len(streams.lines)

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        async for line in self._streams.follow(self._position):
            yield 1, line

    async def write(self, data: bytes) -> None:
        self._streams.heard.append(data)
        self._streams.changed.set()

    async def write_eof(self) -> None:
        self._streams.end()

    def resize(self, columns: int, rows: int) -> None:
        self._streams.sizes.append((columns, rows))

    async def wait(self) -> int:
        return 0

    async def close(self) -> None:
        return


async def _pump(source: asyncio.StreamReader, channel: int, queue: asyncio.Queue[tuple[int, bytes]]) -> None:
    try:
        while data := await source.read(65536):
            await queue.put((channel, data))
    except OSError:
        pass  # a terminal whose other end is closed
    finally:
        queue.put_nowait((channel, b""))


@dataclass
class LocalStreams:
    """Implements `PodStreams`: lines that the test wrote, commands and listeners of this machine."""

    lines: list[bytes] = field(default_factory=list)
    ports: dict[int, int] = field(default_factory=dict)
    sessions: list[LocalSession] = field(default_factory=list)
    log_requests: list[LogOptions] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    attached: list[AttachOptions] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    is_running: bool = True

    def say(self, line: str) -> None:
        """Write one line to the log of every container."""
        self.lines.append(line.encode() + b"\n")
        self.changed.set()

    def end(self) -> None:
        """End the container: logs that are followed end."""
        self.is_running = False
        self.changed.set()

    async def logs(self, pod: JsonObject, options: LogOptions) -> AsyncIterator[bytes]:
        self.log_requests.append(options)
        if options.previous:
            name = pod["metadata"]["name"]
            text = f'previous terminated container "{options.container}" in pod "{name}" not found'
            raise ApiError(400, "BadRequest", text)
        position = 0 if options.tail_lines is None else max(len(self.lines) - options.tail_lines, 0)
        if not options.follow:
            for line in self.lines[position:]:
                yield line
            return
        async for line in self.follow(position):
            yield line

    async def follow(self, position: int) -> AsyncIterator[bytes]:
        """Lines from a position on, until the container ends."""
        while True:
            while position < len(self.lines):
                position += 1
                yield self.lines[position - 1]
            if not self.is_running:
                return
            self.changed.clear()
            await self.changed.wait()

    async def attach(self, pod: JsonObject, options: AttachOptions) -> FollowingSession:
        self.attached.append(options)
        return FollowingSession(self)

    async def execute(self, pod: JsonObject, options: ExecOptions) -> LocalSession:
        master = slave = None
        if options.tty:
            master, slave = pty.openpty()
        stdin = asyncio.subprocess.PIPE if options.stdin else asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *options.command,
                stdin=stdin if slave is None else slave,
                stdout=asyncio.subprocess.PIPE if slave is None else slave,
                stderr=asyncio.subprocess.PIPE if slave is None else slave,
                start_new_session=True,
                env={**environment(), "TERM": "dumb"},
            )
        except FileNotFoundError as error:
            text = f'exec: "{options.command[0]}": executable file not found in $PATH'
            raise ApiError(400, "BadRequest", text) from error
        finally:
            if slave is not None:
                os.close(slave)
        session = LocalSession(process, master)
        self.sessions.append(session)
        return session

    async def connect(self, pod: JsonObject, port: int) -> socket.socket:
        found = socket.socket()
        found.setblocking(False)
        try:
            if port not in self.ports:
                raise ConnectionRefusedError(111, f"Connect call failed ('127.0.0.1', {port})")
            await asyncio.get_running_loop().sock_connect(found, ("127.0.0.1", self.ports[port]))
        except OSError:
            found.close()
            raise
        return found
