from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from bookmesh.base import findings
from bookmesh.lab import hosting


async def _fail() -> None:
    raise ValueError("broken")


async def _wait_for_ever() -> None:
    await asyncio.Event().wait()


def test_a_port_that_is_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(findings.BookmeshError, match=str(port)) as refused:
            hosting.listen(port, is_wanted=True)
    assert refused.value.finding.code == "BM0102"


def test_a_lab_has_the_port_of_its_name_and_any_other_where_that_is_taken() -> None:
    name = f"lab-{uuid.uuid4()}"
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert 1024 < hosting.port_of(name) == hosting.port_of(name) < lowest, "nobody else gets it by chance"
    with (
        hosting.listen_for(name, 0, is_wanted=False),
        hosting.listen_for(name, 0, is_wanted=False) as second,
    ):
        assert second.getsockname()[1] != hosting.port_of(name)
    with (
        pytest.raises(findings.BookmeshError, match="for the API server, is in use"),
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        hosting.listen_for(name, other.getsockname()[1], is_wanted=False)


async def test_a_part_that_fails_ends_the_wait_with_its_error() -> None:
    async with hosting.running(_fail(), _wait_for_ever()) as parts:
        with pytest.raises(ValueError, match="broken"):
            await hosting.first_of(parts, _wait_for_ever())


async def test_the_awaited_is_enough_and_parts_are_ended() -> None:
    async with hosting.running(_wait_for_ever()) as parts:
        await hosting.first_of(parts, asyncio.sleep(0))
    assert parts[0].cancelled()


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The file that says which process this is."""
    file = tmp_path / "daemon.pid"
    file.write_text("1")
    return file


async def test_a_signal_or_a_closed_lifeline_is_the_end(record: Path) -> None:
    reader, writer = os.pipe()
    try:
        stopping = hosting.end_of(reader, record)
        await asyncio.sleep(0)
        assert not stopping.is_set()
        os.close(writer)
        await asyncio.wait_for(stopping.wait(), 20)
    finally:
        os.close(reader)
    again = hosting.end_of(None, record)
    assert not again.is_set()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(again.wait(), 20)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


@pytest.mark.parametrize("change", [Path.unlink, lambda file: file.write_text("2")])
async def test_a_process_that_nobody_can_find_any_more_ends(
    record: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    looks: list[str] = []
    monkeypatch.setattr(hosting, "_LOOK_AGAIN_S", 0.001)
    monkeypatch.setattr(Path, "read_bytes", lambda file: (looks.append(""), file.read_text().encode())[1])
    stopping = hosting.end_of(None, record)
    while len(looks) < 3:
        await asyncio.sleep(0)
    assert not stopping.is_set()
    change(record)
    await asyncio.wait_for(stopping.wait(), 20)


_GROWING = """
import gc, sys
from bookmesh.lab import hosting
if sys.argv[1:]:
    hosting.spare_collector()
looks = []
gc.callbacks.append(lambda phase, info: looks.append(info["generation"]) if phase == "start" else None)
kept = [[number] for number in range(400_000)]
print(looks.count(2), looks.count(0) > 0)
"""


def test_everything_is_looked_at_rarely_and_what_is_young_is_still() -> None:
    def looks(*arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", _GROWING, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    by_default = looks()
    assert int(by_default[0]) > 0
    assert looks("spared") == ["0", "True"]
