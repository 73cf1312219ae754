"""What a container's process and the clients that are attached to it get of each other."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import log_files, standard_streams


class Bench:
    """Streams with the process's ends kept open, as a process would."""

    def __init__(self, directory: Path, **container: Any) -> None:
        self.log = log_files.ContainerLog(directory / "0.log")
        self.streams = standard_streams.StandardStreams(container, self.log)
        self.ends = {
            number: os.dup(fd)
            for number, fd in enumerate((self.streams.stdin, self.streams.stdout, self.streams.stderr))
            if fd is not None
        }
        self.streams.begin()

    def say(self, text: str, number: int = 1) -> None:
        os.write(self.ends[number], text.encode())

    async def hear(self) -> bytes:
        """What the process reads next."""
        return await asyncio.wait_for(asyncio.to_thread(os.read, self.ends[0], 1 << 16), 20)

    async def end(self) -> None:
        for fd in self.ends.values():
            os.close(fd)
        self.ends.clear()
        assert await self.streams.drain(5)
        self.log.end()


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Any]:
    made: list[Bench] = []

    def build(**container: Any) -> Bench:
        made.append(Bench(tmp_path, **container))
        return made[-1]

    yield build
    for bench in made:
        if bench.ends:
            await bench.end()


async def taken(attachment: standard_streams.Attachment, size: int) -> list[tuple[int, bytes]]:
    """Output until `size` bytes of it have come."""
    chunks: list[tuple[int, bytes]] = []
    async with asyncio.timeout(20):
        async for chunk in attachment.output():
            chunks.append(chunk)
            if sum(len(data) for _, data in chunks) >= size:
                break
    return chunks


async def test_output_goes_to_the_log_and_to_all_who_are_attached(make: Any) -> None:
    bench = make()
    bench.say("before\n")
    await asyncio.wait_for(bench.log.changed.wait(), 20)
    both = [bench.streams.attach(stdin=False) for _ in range(2)]
    bench.say("no newline")
    for attachment in both:
        assert await taken(attachment, 10) == [(1, b"no newline")]
    bench.say("trouble\n", 2)
    assert await taken(both[0], 8) == [(2, b"trouble\n")]
    await bench.end()
    assert [chunk async for chunk in both[1].output()] == [(2, b"trouble\n")]
    text = bench.log.path.read_text()
    assert [line.split(" ", 3)[3] for line in text.splitlines()] == ["before", "trouble", "no newline"]


async def test_who_attaches_after_the_end_gets_nothing(make: Any) -> None:
    bench = make()
    await bench.end()
    attachment = bench.streams.attach(stdin=False)
    assert [chunk async for chunk in attachment.output()] == []
    assert await attachment.wait() == 0


async def test_a_container_without_standard_input_hears_nothing(make: Any) -> None:
    bench = make()
    assert bench.streams.stdin is None
    attachment = bench.streams.attach(stdin=True)
    await attachment.write(b"lost")
    await attachment.write_eof()
    bench.say("still here")
    assert await taken(attachment, 10) == [(1, b"still here")]


async def test_standard_input_stays_open_for_the_next_client(make: Any) -> None:
    bench = make(stdin=True)
    first = bench.streams.attach(stdin=True)
    await first.write(b"one")
    assert await bench.hear() == b"one"
    await first.write_eof()
    assert [chunk async for chunk in first.output()] == []
    await first.close()
    second = bench.streams.attach(stdin=True)
    await second.write(b"two")
    assert await bench.hear() == b"two"


@pytest.mark.parametrize("leaves", [True, False])
async def test_standard_input_once_ends_with_its_client(make: Any, leaves: bool) -> None:
    bench = make(stdin=True, stdinOnce=True)
    only_looks = bench.streams.attach(stdin=False)
    attachment = bench.streams.attach(stdin=True)
    await only_looks.close()
    await attachment.write(b"all")
    assert await bench.hear() == b"all"
    await (attachment.close() if leaves else attachment.write_eof())
    assert await bench.hear() == b""
    if not leaves:
        bench.say("answer")
        assert await taken(attachment, 6) == [(1, b"answer")]


async def test_a_terminal_carries_everything_and_has_a_size(make: Any) -> None:
    bench = make(stdin=True, stdinOnce=True, tty=True)
    attachment = bench.streams.attach(stdin=True)
    attachment.resize(101, 41)
    size = fcntl.ioctl(bench.ends[0], termios.TIOCGWINSZ, b"\0" * 8)
    assert struct.unpack("HHHH", size)[:2] == (41, 101)
    await attachment.write(b"word\n")
    assert await bench.hear() == b"word\n"
    bench.say("line\n", 2)
    assert await taken(attachment, 12) == [(1, b"word\r\n"), (1, b"line\r\n")]
    await attachment.write_eof()
    assert [chunk async for chunk in attachment.output()] == []
    await attachment.close()
    again = bench.streams.attach(stdin=True)
    await again.write(b"more\n")
    assert await bench.hear() == b"more\n"
    await bench.end()
    again.resize(1, 1)


async def test_the_process_waits_for_a_client_that_does_not_read(make: Any) -> None:
    bench = make()
    attachment = bench.streams.attach(stdin=False)
    os.set_blocking(bench.ends[1], False)
    chunk = b"x" * 65_536

    def is_full() -> bool:
        try:
            os.write(bench.ends[1], chunk)
        except BlockingIOError:
            return attachment.waiting >= 1 << 20
        return False

    await fakes.until(is_full)
    assert attachment.waiting < 2 << 20
    waited = attachment.waiting
    await taken(attachment, waited)
    await attachment.close()
    before = bench.log.path.stat().st_size
    await fakes.until(lambda: bench.log.path.stat().st_size > before)


async def test_input_that_nobody_reads_is_dropped_at_the_end(make: Any) -> None:
    bench = make(stdin=True)
    attachment = bench.streams.attach(stdin=True)
    writing = asyncio.create_task(attachment.write(b"x" * 200_000))
    await writing
    await asyncio.wait_for(bench.end(), 20)
    await attachment.write(b"too late")


async def test_without_a_process_nothing_stays_open(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    for container in ({}, {"stdin": True}, {"tty": True, "stdin": True}, {"tty": True}):
        log = log_files.ContainerLog(tmp_path / "0.log")
        standard_streams.StandardStreams(container, log).abandon()
        log.end()
    assert set(os.listdir("/proc/self/fd")) <= before
