from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bookmesh.lab import processes

STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_recorded_process_is_found_again(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record = tmp_path / "pid"
    assert processes.read(record) is None
    processes.write(record, sleeper.pid)
    found = processes.read(record)
    assert found is not None
    assert found.pid == sleeper.pid


def test_a_reused_pid_is_not_the_recorded_process(tmp_path: Path) -> None:
    record = tmp_path / "pid"
    processes.write(record, os.getpid())
    record.write_text(record.read_text().replace('"started":', '"started":1'))
    assert processes.read(record) is None


def test_a_half_written_record_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text('{"pid": ')
    assert processes.read(tmp_path / "pid") is None


def test_a_process_that_ended_cannot_be_recorded(tmp_path: Path) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(ProcessLookupError):
        processes.write(tmp_path / "pid", process.pid)


def test_a_process_that_listens_is_ended_by_asking(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    processes.write(tmp_path / "pid", sleeper.pid)
    process = processes.read(tmp_path / "pid")
    assert process is not None
    assert process.end(grace_s=60)
    assert process.end(grace_s=60), "ending twice is no error"


def test_a_stubborn_process_is_killed_after_the_grace(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    processes.write(tmp_path / "pid", child.pid)
    process = processes.read(tmp_path / "pid")
    assert process is not None
    assert process.end(grace_s=0.05) is False
    assert child.wait(timeout=20) == -9
    child.stdout.close()
