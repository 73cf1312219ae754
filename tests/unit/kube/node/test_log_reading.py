from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bookmesh.base.pods import LogOptions
from bookmesh.kube.node import log_files, log_reading


async def read(path: Path, *, live: log_files.ContainerLog | None = None, **options: Any) -> bytes:
    chunks = log_reading.read_log(path, LogOptions("c", **options), live=live)
    return b"".join([chunk async for chunk in chunks])


@pytest.fixture
def log(tmp_path: Path) -> log_files.ContainerLog:
    return log_files.ContainerLog(tmp_path / "0.log")


async def test_both_streams_come_in_order(log: log_files.ContainerLog) -> None:
    log.write("stdout", b"one\n")
    log.write("stderr", b"two\n")
    assert await read(log.path) == b"one\ntwo\n"


async def test_pieces_are_joined(log: log_files.ContainerLog) -> None:
    line = b"x" * 50_000
    log.write("stdout", line + b"\nno newline")
    log.end()
    assert await read(log.path) == line + b"\nno newline"
    stamped = await read(log.path, timestamps=True)
    assert stamped.count(b"Z ") == 2


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(0, b""), (1, b"4\n"), (3, b"2\n3\n4\n"), (5, b"0\n1\n2\n3\n4\n"), (9, b"0\n1\n2\n3\n4\n")],
)
async def test_tail(log: log_files.ContainerLog, lines: int, expected: bytes) -> None:
    log.write("stdout", b"0\n1\n2\n3\n4\n")
    assert await read(log.path, tail_lines=lines) == expected


async def test_a_tail_reaches_over_blocks_and_files(tmp_path: Path) -> None:
    log = log_files.ContainerLog(tmp_path / "0.log", max_bytes=150_000, keep=3)
    for number in range(4000):
        log.write("stdout", f"{number:>60}\n".encode())
    everything = (await read(log.path)).split()
    assert len(everything) > 3000
    for lines in (1, 700, 701, 1500, 2500, len(everything), len(everything) + 1):
        assert (await read(log.path, tail_lines=lines)).split() == everything[-lines:]


async def test_timestamps_and_since(log: log_files.ContainerLog, monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in (1, 2, 3):
        monkeypatch.setattr(log_files, "timestamp", lambda at=minute: f"2026-05-09T12:0{at}:00.000000000Z")
        log.write("stdout", f"{minute}\n".encode())
    stamped = b"2026-05-09T12:03:00.000000000Z 3\n"
    assert await read(log.path, timestamps=True, tail_lines=1) == stamped
    assert await read(log.path, since_time="2026-05-09T12:02:00Z") == b"2\n3\n"
    assert await read(log.path, since_time="2026-05-09T14:02:30+02:00") == b"3\n"


async def test_since_seconds_count_from_now(
    log: log_files.ContainerLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(log_files, "timestamp", lambda: "2020-01-01T00:00:00.000000000Z")
        log.write("stdout", b"old\n")
    log.write("stdout", b"new\n")
    assert await read(log.path, since_s=3600) == b"new\n"


async def test_a_limit_cuts_bytes(log: log_files.ContainerLog) -> None:
    log.write("stdout", b"hello\nworld\n")
    assert await read(log.path, limit_bytes=8) == b"hello\nwo"
    assert await asyncio.wait_for(read(log.path, live=log, follow=True, limit_bytes=8), 20) == b"hello\nwo"


async def follow(log: log_files.ContainerLog, feed: Callable[[], None], **options: Any) -> bytes:
    task = asyncio.create_task(read(log.path, live=log, follow=True, **options))
    await asyncio.sleep(0)
    feed()
    return await asyncio.wait_for(task, 20)


async def test_following_ends_with_the_run(log: log_files.ContainerLog) -> None:
    log.write("stdout", b"old\n")

    def feed() -> None:
        log.write("stdout", b"new\n")
        log.end()

    assert await follow(log, feed) == b"old\nnew\n"


async def test_following_a_tail_begins_at_the_end(log: log_files.ContainerLog) -> None:
    log.write("stdout", b"old\n")

    def feed() -> None:
        log.write("stdout", b"new\n")
        log.end()

    assert await follow(log, feed, tail_lines=0) == b"new\n"


async def test_following_loses_nothing_to_a_rotation(tmp_path: Path) -> None:
    log = log_files.ContainerLog(tmp_path / "0.log", max_bytes=500)
    task = asyncio.create_task(read(log.path, live=log, follow=True))
    for number in range(200):
        log.write("stdout", f"{number}\n".encode())
        await asyncio.sleep(0)
    log.end()
    assert (await asyncio.wait_for(task, 20)).split() == [str(number).encode() for number in range(200)]
    assert log.generation > 5


async def test_without_a_writer_following_ends_at_the_end(log: log_files.ContainerLog) -> None:
    log.write("stdout", b"all\n")
    assert await asyncio.wait_for(read(log.path, follow=True), 20) == b"all\n"


async def test_a_follower_can_leave(log: log_files.ContainerLog) -> None:
    log.write("stdout", b"one\n")
    chunks = log_reading.read_log(log.path, LogOptions("c", follow=True), live=log)
    assert await anext(chunks) == b"one\n"
    pending = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    pending.cancel()
    await asyncio.wait({pending})
    log.write("stdout", b"two\n")
