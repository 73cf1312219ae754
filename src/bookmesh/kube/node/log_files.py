"""
The log of one run of one container: lines from its pipes to files in the CRI format.

    2026-05-09T12:00:00.123456789Z stdout F a whole line
    2026-05-09T12:00:00.123456789Z stdout P a piece of a line that has not ended yet

A file is `<run>.log`; when it is full it becomes `<run>.log.1`, that one `<run>.log.2`, and so on.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from bookmesh.kube.node import waiting

Stream = Literal["stdout", "stderr"]

_LONGEST_PIECE = 16 * 1024
_READ = 64 * 1024


class ContainerLog:
    """
    Writes one run's log. `changed` fires at every write, at rotation and at the end.

    Attributes:
        generation: how often the file was rotated; `path` is the file of the present generation.
        ended: nothing will be written any more.
    """

    def __init__(self, path: Path, *, max_bytes: int = 10 * 1024 * 1024, keep: int = 3) -> None:
        self.path = path
        self.keep = keep
        self.generation = 0
        self.ended = False
        self.changed = waiting.Signal()
        self._max_bytes = max_bytes
        self._rests: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size

    def write(self, stream: Stream, chunk: bytes) -> None:
        """Take what a pipe brought; what has no newline yet is kept until it has, is long, or the log ends."""
        *lines, rest = (self._rests[stream] + chunk).split(b"\n")
        head = f"{timestamp()} {stream} ".encode()
        full, piece = head + b"F ", head + b"P "
        records = [_record(line, full, piece) for line in lines]
        while len(rest) >= _LONGEST_PIECE:
            records.append(piece + rest[:_LONGEST_PIECE] + b"\n")
            rest = rest[_LONGEST_PIECE:]
        self._rests[stream] = rest
        self._append(b"".join(records))

    def end(self) -> None:
        """Write what is left and close the file; more calls do nothing."""
        if self.ended:
            return
        for stream, rest in self._rests.items():
            if rest:
                self._append(f"{timestamp()} {stream} P ".encode() + rest + b"\n")
        self.ended = True
        os.close(self._fd)
        self.changed.fire()

    def _append(self, data: bytes) -> None:
        if not data:
            return
        if self._size and self._size + len(data) > self._max_bytes:
            self._rotate()
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        self._size += len(data)
        self.changed.fire()

    def _rotate(self) -> None:
        os.close(self._fd)
        for number in range(self.keep - 1, 0, -1):
            older = rotated(self.path, number)
            newer = rotated(self.path, number - 1)
            if newer.exists():
                newer.replace(older)
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = 0
        self.generation += 1


def _record(line: bytes, full: bytes, piece: bytes) -> bytes:
    pieces = []
    while len(line) > _LONGEST_PIECE:
        pieces.append(piece + line[:_LONGEST_PIECE] + b"\n")
        line = line[_LONGEST_PIECE:]
    return b"".join([*pieces, full, line, b"\n"])


def rotated(path: Path, number: int) -> Path:
    """The file that was full `number` rotations ago; 0 is the present one."""
    return path.with_name(f"{path.name}.{number}") if number else path


def timestamp() -> str:
    """Now, RFC 3339 with nanoseconds, always of the same length so that texts sort as times do."""
    nanoseconds = time.time_ns()
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z"


class PipeReader:
    """Hands on what one pipe or terminal brings, until its end. Owns the file descriptor."""

    def __init__(self, fd: int, take: Callable[[Stream, bytes], None], stream: Stream) -> None:
        self.ended = asyncio.Event()
        self._fd = fd
        self._take = take
        self._stream: Stream = stream
        os.set_blocking(fd, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(fd, self._read)

    def pause(self) -> None:
        """Leave in the pipe what comes, until `resume`."""
        if not self.ended.is_set():
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        if not self.ended.is_set():
            self._loop.add_reader(self._fd, self._read)

    def close(self) -> None:
        """Take what is there now and stop reading; more calls do nothing."""
        while not self.ended.is_set() and self._read():
            pass
        self._finish()

    def _read(self) -> bool:
        """Take one chunk; False when there is none now or ever again."""
        try:
            chunk = os.read(self._fd, _READ)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:  # how a terminal says that nobody has it open any more
                raise
            chunk = b""
        if not chunk:
            self._finish()
            return False
        self._take(self._stream, chunk)
        return True

    def _finish(self) -> None:
        if not self.ended.is_set():
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self.ended.set()
