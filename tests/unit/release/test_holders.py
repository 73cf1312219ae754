from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bookmesh.release import holders


@pytest.fixture
def ended() -> int:
    """The number of a process that was there."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(timeout=30)
    return process.pid


def test_this_process_is_there() -> None:
    assert not holders.is_gone(holders.own())


def test_a_process_of_this_machine_that_ended_is_gone(ended: int) -> None:
    assert holders.is_gone(holders.own().replace(f"process {os.getpid()}", f"process {ended}"))


def test_of_others_nothing_is_known(ended: int) -> None:
    assert not holders.is_gone(f"ann@elsewhere.example (process {ended})")
    assert not holders.is_gone("ann")
    assert not holders.is_gone("")
