"""
Read container logs as `kubectl logs` asks for them: tail, since, timestamps, limit, follow.

A follower waits for the writer's signal, never for time to pass, and does not lose lines to a rotation.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from bookmesh.base.pods import LogOptions
from bookmesh.kube.node import log_files
from bookmesh.kube.node.log_files import ContainerLog

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """Where to begin: the index of a file, oldest first, and a byte offset in it."""

    file: int
    offset: int


async def read_log(path: Path, options: LogOptions, *, live: ContainerLog | None) -> AsyncIterator[bytes]:
    """
    Yield the log in chunks of whole records.

    Args:
        path: the present file of the run; rotated ones lie beside it.
        live: the writer, while the container runs; without it following ends at the end of the file.
    """
    printer = _Printer(options)
    generation = live.generation if live else 0
    files = _open_all(path)
    try:
        start = find_tail(files, options.tail_lines)
        for index in range(start.file, len(files)):
            if index == start.file:
                os.lseek(files[index], start.offset, os.SEEK_SET)
            for chunk in printer.drain(files[index]):
                yield chunk
        if options.follow and live is not None:
            current = files.pop() if files else None
            async with contextlib.aclosing(_follow(current, generation, live, printer)) as chunks:
                async for chunk in chunks:
                    yield chunk
    finally:
        for fd in files:
            os.close(fd)


async def _follow(
    current: int | None, generation: int, live: ContainerLog, printer: _Printer
) -> AsyncGenerator[bytes, None]:
    fd = current
    try:
        while not printer.is_full:
            if fd is not None:
                for chunk in printer.drain(fd):
                    yield chunk
            # Nothing was awaited since the last look, so neither a write nor a rotation can be missed here.
            if generation < live.generation:
                if fd is not None:
                    os.close(fd)
                generation = max(generation + 1, live.generation - live.keep + 1)
                fd = _open(log_files.rotated(live.path, live.generation - generation))
            elif live.ended:
                return
            else:
                await live.changed.wait()
    finally:
        if fd is not None:
            os.close(fd)


def find_tail(files: list[int], lines: int | None) -> Position:
    """Find where the last `lines` records begin; None means everything."""
    if lines is None:
        return Position(0, 0)
    if lines <= 0:
        return Position(len(files) - 1, os.fstat(files[-1]).st_size) if files else Position(0, 0)
    missing = lines
    for index in range(len(files) - 1, -1, -1):
        end = os.fstat(files[index]).st_size
        position = end
        while position > 0:
            size = min(_BLOCK, position)
            block = os.pread(files[index], size, position - size)
            # The newline that ends the last record is not the beginning of one.
            at = len(block) - 1 if position == end else len(block)
            while (at := block.rfind(b"\n", 0, at)) >= 0:
                missing -= 1
                if missing == 0:
                    return Position(index, position - size + at + 1)
            position -= size
        if end:
            missing -= 1
        if missing == 0:
            return Position(index, 0)
    return Position(0, 0)


class _Printer:
    """Turns records into what a person asked to see."""

    def __init__(self, options: LogOptions) -> None:
        self._timestamps = options.timestamps
        self._since = _since(options)
        self._left = options.limit_bytes
        self._at_line_start = True
        self._rest = b""

    @property
    def is_full(self) -> bool:
        return self._left is not None and self._left <= 0

    def drain(self, fd: int) -> Iterator[bytes]:
        """Read on from where `fd` stands to its present end; chunks are never empty."""
        while not self.is_full and (block := os.read(fd, _BLOCK)):
            *records, self._rest = (self._rest + block).split(b"\n")
            if shown := self._cut(b"".join(self._show(record) for record in records)):
                yield shown

    def _show(self, record: bytes) -> bytes:
        stamp, _, after = record.partition(b" ")
        if stamp < self._since:
            return b""
        _, _, after = after.partition(b" ")
        tag, _, text = after.partition(b" ")
        prefix = stamp + b" " if self._timestamps and self._at_line_start else b""
        self._at_line_start = tag == b"F"
        return prefix + text + (b"\n" if self._at_line_start else b"")

    def _cut(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        data = data[: self._left]
        self._left -= len(data)
        return data


def _since(options: LogOptions) -> bytes:
    if options.since_time:
        moment = datetime.datetime.fromisoformat(options.since_time)
    elif options.since_s is not None:
        moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=options.since_s)
    else:
        return b""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    moment = moment.astimezone(datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f").encode() + b"000Z"


def _open_all(path: Path) -> list[int]:
    """Open every file of the run, oldest first."""
    number = 0
    while log_files.rotated(path, number).exists():
        number += 1
    opened = [_open(log_files.rotated(path, older)) for older in reversed(range(number))]
    return [fd for fd in opened if fd is not None]


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
