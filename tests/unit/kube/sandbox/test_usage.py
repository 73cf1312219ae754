"""What sandboxes use, read from a /proc: this machine's, and one made of files."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bookmesh.kube.sandbox import usage

_TICKS = os.sysconf("SC_CLK_TCK")


def test_time_of_a_command_with_any_name_is_read() -> None:
    counts = "S 1 1 1 0 -1 4194560 1 2 3 4 100 200 300 400 20 0 1 0 5"
    assert usage.parse_cpu(f"7 (a) b) {counts}") == 1000 / _TICKS


def test_memory_is_the_share_of_each_page() -> None:
    assert usage.parse_memory("0-1 ---p 0 [rollup]\nRss: 900 kB\nPss:  12 kB\nPss_Dirty: 3 kB\n") == 12 * 1024


def test_a_process_that_works_is_seen_to_work(tmp_path: Path) -> None:
    # Others in this PID namespace, with all that they have used, may end meanwhile.
    (tmp_path / str(os.getpid())).symlink_to(f"/proc/{os.getpid()}")
    before = usage.read_sandboxes([os.getpid()], proc=tmp_path)[os.getpid()]
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    after = usage.read_sandboxes([os.getpid()], proc=tmp_path)[os.getpid()]
    assert after.cpu_s - before.cpu_s >= 0.05
    assert after.memory > 1 << 20


def test_a_process_that_has_ended_is_missing() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert usage.read_sandboxes([child]) == {}


def test_the_machine_counts_the_processors_that_are_ours(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(
        "cpu  99 0 0 0 0 0 0 0 0 0\ncpu0 10 20 30 1000 2000 40 50 60 70 80\ncpu1 1 1 1 1 1 1 1 1 1 1\nctxt 5\n"
    )
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 400 kB\n")
    used = usage.read_machine(proc=tmp_path, processors=[0])
    assert used == usage.Usage(210 / _TICKS, 600 * 1024)
