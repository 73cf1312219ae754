"""
Standard input and output of one run of a container: pipes, or a terminal, that the node holds the other ends of.

What the process writes goes to its log, and to everybody who is attached at that moment. Nobody's output is dropped: a
client that does not read makes the process wait, as it does in any container. What a client writes reaches the process
where the container asks for a standard input; `stdinOnce` ends it with the first client.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import descriptors, log_files, waiting

_STDOUT: Final = 1
_STDERR: Final = 2
_NUMBERS: Final[dict[log_files.Stream, int]] = {"stdout": _STDOUT, "stderr": _STDERR}
# What a client has not taken yet before the process waits for it.
_WAITING: Final = 1 << 20
_INPUTS_AHEAD: Final = 16


class StandardStreams:
    """
    Made before the process; `begin` once it has been started, `drain` when it has ended.

    Attributes:
        stdin: the process's end, None where it reads nothing; `stdout` and `stderr` likewise.
        tty: all three are one terminal, which becomes the process's own.
    """

    def __init__(self, container: JsonObject, log: log_files.ContainerLog) -> None:
        self.tty = bool(container.get("tty"))
        self._once = bool(container.get("stdinOnce"))
        self._log = log
        self._attached: list[Attachment] = []
        self._readers: list[log_files.PipeReader] = []
        self._input: _Input | None = None
        self._has_ended = False
        self._is_held = False
        wants_input = bool(container.get("stdin"))
        self.stdin: int | None
        if self.tty:
            self._master, self.stdin = os.openpty()
            self.stdout = self.stderr = self.stdin
            self._outputs: list[tuple[int, log_files.Stream]] = [(self._master, "stdout")]
            self._in = os.dup(self._master) if wants_input else -1
        else:
            self._master = -1
            self.stdin, self._in = os.pipe2(os.O_CLOEXEC) if wants_input else (None, -1)
            out, self.stdout = os.pipe2(os.O_CLOEXEC)
            err, self.stderr = os.pipe2(os.O_CLOEXEC)
            self._outputs = [(out, "stdout"), (err, "stderr")]

    def give_to(self, uid: int) -> None:
        """Let a user's program open /dev/stdout again."""
        for fd in self._theirs():
            os.fchown(fd, uid, -1)

    def begin(self) -> None:
        """Read from now on; the process has its ends."""
        self._close_theirs()
        self._readers = [log_files.PipeReader(fd, self._take, stream) for fd, stream in self._outputs]
        if self._in >= 0:
            self._input = _Input(self._in)

    def abandon(self) -> None:
        """Close everything: there will be no process."""
        self._close_theirs()
        for fd in [fd for fd, _ in self._outputs] + [self._in] * (self._in >= 0):
            os.close(fd)
        self._end()

    async def drain(self, timeout_s: float) -> bool:
        """Take what the process wrote last; False when somebody else still held its output after that time."""
        self._has_ended = True
        self._hold(False)
        if self._input is not None:
            await self._input.close()
            self._input = None
        in_time = True
        try:
            async with asyncio.timeout(timeout_s):
                for reader in self._readers:
                    await reader.ended.wait()
        except TimeoutError:
            in_time = False
        for reader in self._readers:
            reader.close()
        self._end()
        return in_time

    def attach(self, *, stdin: bool) -> Attachment:
        """Let a client have the output from now on and, with `stdin`, write where the process reads."""
        attachment = Attachment(self, stdin=stdin and self._input is not None)
        if self._has_ended:
            attachment.end()
        else:
            self._attached.append(attachment)
        return attachment

    async def write(self, data: bytes) -> None:
        if self._input is not None:
            await self._input.write(data)

    async def end_input(self, attachment: Attachment) -> None:
        """A client's input is at its end: so is that of the process if it had one client only, else the client goes."""
        if self._once and not self.tty:
            await self.write(b"")
        else:
            attachment.end()

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal its size; nothing without one."""
        if self.tty and not self._readers[0].ended.is_set():
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def detach(self, attachment: Attachment) -> None:
        """A client has gone; that ends the input it had."""
        if attachment in self._attached:
            self._attached.remove(attachment)
        self.let_go()
        if attachment.stdin and self._once and not self.tty:
            await self.write(b"")

    def let_go(self) -> None:
        """Read on when no client is behind any more."""
        if self._is_held and all(each.waiting < _WAITING for each in self._attached):
            self._hold(False)

    def _take(self, stream: log_files.Stream, chunk: bytes) -> None:
        self._log.write(stream, chunk)
        for attachment in self._attached:
            attachment.tell(_NUMBERS[stream], chunk)
        if not self._has_ended and any(each.waiting >= _WAITING for each in self._attached):
            self._hold(True)

    def _hold(self, is_held: bool) -> None:
        if is_held != self._is_held:
            self._is_held = is_held
            for reader in self._readers:
                reader.pause() if is_held else reader.resume()

    def _theirs(self) -> set[int]:
        """The process's ends; a terminal's is one."""
        return {fd for fd in (self.stdin, self.stdout, self.stderr) if fd is not None}

    def _close_theirs(self) -> None:
        for fd in self._theirs():
            os.close(fd)

    def _end(self) -> None:
        self._has_ended = True
        for attachment in self._attached:
            attachment.end()
        self._attached.clear()


class Attachment:
    """
    One client of a running container: `base.pods.StreamSession`.

    Attributes:
        stdin: what it writes reaches the process.
        waiting: bytes of output that it has not taken yet.
    """

    def __init__(self, streams: StandardStreams, *, stdin: bool) -> None:
        self.stdin = stdin
        self.waiting = 0
        self._streams = streams
        self._chunks: deque[tuple[int, bytes]] = deque()
        self._has_ended = False
        self._changed = asyncio.Event()

    def tell(self, number: int, chunk: bytes) -> None:
        """Bring output."""
        self._chunks.append((number, chunk))
        self.waiting += len(chunk)
        self._changed.set()

    def end(self) -> None:
        """There will be no more output for this client."""
        self._has_ended = True
        self._changed.set()

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while True:
            while self._chunks:
                number, chunk = self._chunks.popleft()
                yield number, chunk
                self.waiting -= len(chunk)
                self._streams.let_go()
            if self._has_ended:
                return
            self._changed.clear()
            await self._changed.wait()

    async def write(self, data: bytes) -> None:
        if self.stdin:
            await self._streams.write(data)

    async def write_eof(self) -> None:
        if self.stdin:
            await self._streams.end_input(self)

    def resize(self, columns: int, rows: int) -> None:
        self._streams.resize(columns, rows)

    async def wait(self) -> int:
        """0, as any runtime says about an attached container; its own exit code is in its status."""
        return 0

    async def close(self) -> None:
        await self._streams.detach(self)


class _Input:
    """Writes in order what several clients send; owns the descriptor."""

    def __init__(self, fd: int) -> None:
        self._writer = descriptors.DescriptorWriter(fd)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_INPUTS_AHEAD)
        self._task = asyncio.create_task(self._pump())

    async def write(self, data: bytes) -> None:
        """Send on; b"" is the end, after which everything is dropped."""
        if not self._task.done():
            await self._queue.put(data)

    async def close(self) -> None:
        await waiting.end_tasks([self._task])
        self._writer.close()

    async def _pump(self) -> None:
        while data := await self._queue.get():
            await self._writer.write(data)
        self._writer.close()
        while not self._queue.empty():  # lets those go on who wait for room
            self._queue.get_nowait()
