from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from bookmesh.kube.node import log_files

RECORD = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([FP]) (.*)")


def parsed(path: Path) -> list[tuple[bytes, bytes, bytes]]:
    matches = [RECORD.fullmatch(line) for line in path.read_bytes().splitlines()]
    return [(match[2], match[3], match[4]) for match in matches if match]


def test_lines_become_records_of_their_stream(tmp_path: Path) -> None:
    log = log_files.ContainerLog(tmp_path / "c" / "0.log")
    log.write("stdout", b"one\ntw")
    log.write("stderr", b"problem\n")
    log.write("stdout", b"o\n\n")
    log.end()
    assert parsed(log.path) == [
        (b"stdout", b"F", b"one"),
        (b"stderr", b"F", b"problem"),
        (b"stdout", b"F", b"two"),
        (b"stdout", b"F", b""),
    ]


def test_what_has_no_newline_at_the_end_is_a_piece(tmp_path: Path) -> None:
    log = log_files.ContainerLog(tmp_path / "0.log")
    log.write("stdout", b"prompt> ")
    assert parsed(log.path) == []
    log.end()
    log.end()
    assert parsed(log.path) == [(b"stdout", b"P", b"prompt> ")]


def test_long_lines_are_cut_into_pieces(tmp_path: Path) -> None:
    log = log_files.ContainerLog(tmp_path / "0.log")
    log.write("stdout", b"x" * 40_000)
    log.write("stdout", b"y\n" + b"z" * 20_000 + b"\n")
    assert [(tag, len(text)) for _, tag, text in parsed(log.path)] == [
        (b"P", 16_384),
        (b"P", 16_384),
        (b"F", 7_233),
        (b"P", 16_384),
        (b"F", 3_616),
    ]


def test_a_full_file_is_put_aside_and_three_are_kept(tmp_path: Path) -> None:
    log = log_files.ContainerLog(tmp_path / "0.log", max_bytes=200, keep=3)
    for number in range(12):
        log.write("stdout", f"line {number:>40}\n".encode())
    assert sorted(os.listdir(tmp_path)) == ["0.log", "0.log.1", "0.log.2"]
    kept = [
        int(text.split()[1])
        for number in (2, 1, 0)
        for _, _, text in parsed(log_files.rotated(log.path, number))
    ]
    assert kept == list(range(12 - len(kept), 12))
    assert log.generation == 5
    assert (tmp_path / "0.log").stat().st_mode & 0o777 == 0o600


def test_times_are_of_equal_length() -> None:
    assert {len(log_files.timestamp()) for _ in range(100)} == {30}


async def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    log = log_files.ContainerLog(tmp_path / "0.log")
    read, write = os.pipe()
    reader = log_files.PipeReader(read, log.write, "stdout")
    for _ in range(3):
        os.write(write, b"hello\n")
        await asyncio.wait_for(log.changed.wait(), 20)
    os.close(write)
    await asyncio.wait_for(reader.ended.wait(), 20)
    reader.close()
    assert parsed(log.path) == [(b"stdout", b"F", b"hello")] * 3


async def test_closing_takes_what_is_there_already(tmp_path: Path) -> None:
    log = log_files.ContainerLog(tmp_path / "0.log")
    read, write = os.pipe()
    reader = log_files.PipeReader(read, log.write, "stderr")
    os.write(write, b"last words\n")
    reader.close()
    assert reader.ended.is_set()
    assert parsed(log.path) == [(b"stderr", b"F", b"last words")]
    os.close(write)
