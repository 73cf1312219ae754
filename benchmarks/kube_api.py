"""
What the API server alone can do: its start, writes, reads of single objects, and how soon watchers hear of a change.

The load comes from a process of its own. Rates are per second of CPU that the server used, that is per core, so that a
busy machine does not change them much; what the clock says stands beside. `one writer` waits for each answer before it
asks again: the time of one acknowledged write, which the disk's sync is a part of. With watchers it is timed until each
of them has the change, and then all connections write at once while the watchers follow. Prints a table with ratios to
the goals; above 1 is better.

    python benchmarks/kube_api.py [--requests 4000] [--connections 8] [--objects 5000] [--watchers 50] [--changes 200]
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import orjson

import process_memory
from bookmesh.lab import keys, labs, launching, paths

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BOOKMESH = Path(sys.executable).with_name("bookmesh")
LAB = "bench-kube-api"
GOAL_WRITES, GOAL_READS, GOAL_P99_MS, GOAL_START_S, GOAL_MB = 1000.0, 5000.0, 50.0, 1.0, 70.0
MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = {"Content-Type": "application/merge-patch+json"}
BALLAST = "x" * 1000
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """What the loading process is to do, and where."""

    url: str
    pki: Path
    server_pid: int
    requests: int
    connections: int
    objects: int
    watchers: int
    changes: int


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_core` is requests a second of the server's CPU, `per_second` by the clock."""

    per_core: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Found:
    """Latencies are seconds: of the writes of one writer, and from sending a change until a watcher has it."""

    creates: Rate
    patches: Rate
    reads: Rate
    acknowledged: list[float]
    fed: list[float]
    patches_watched: Rate


def cpu_s(pid: int) -> float:
    """CPU that a process has used; seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """What the loading process asks of the server."""

    def __init__(self, load: Load, session: aiohttp.ClientSession) -> None:
        self._load, self._session = load, session
        self._serial: Iterator[int] = iter(range(1 << 62))

    async def create(self, number: int) -> None:
        """Add one object."""
        body = {"metadata": {"name": f"m{number}"}, "data": {"ballast": BALLAST, "number": "0"}}
        async with self._session.post(MAPS, json=body) as response:
            await response.read()
            response.raise_for_status()

    async def read(self, number: int) -> None:
        """Read one object."""
        async with self._session.get(f"{MAPS}/m{number % self._load.objects}") as response:
            await response.read()
            response.raise_for_status()

    async def patch(self, number: int) -> None:
        """Change one object; each change is another one and says when it was sent."""
        changed = {"serial": str(next(self._serial)), "sent_ns": str(time.monotonic_ns())}
        path = f"{MAPS}/m{number % self._load.objects}"
        async with self._session.patch(path, data=orjson.dumps({"data": changed}), headers=MERGE) as response:
            await response.read()
            response.raise_for_status()

    async def rate(self, one: Callable[[int], Awaitable[None]], count: int) -> Rate:
        """Make `count` requests over all connections."""
        numbers = iter(range(count))

        async def work() -> None:
            for number in numbers:
                await one(number)

        cpu, clock = cpu_s(self._load.server_pid), time.monotonic()
        await asyncio.gather(*(work() for _ in range(self._load.connections)))
        used, took = cpu_s(self._load.server_pid) - cpu, time.monotonic() - clock
        return Rate(count / max(used, 0.01), count / took)

    async def latencies(self, one: Callable[[int], Awaitable[None]], count: int) -> list[float]:
        """Make `count` requests one after another; seconds of each."""
        found = []
        for number in range(count):
            began = time.monotonic()
            await one(number)
            found.append(time.monotonic() - began)
        return found

    @asynccontextmanager
    async def watched(self, changes: int) -> AsyncIterator[list[float]]:
        """Have watchers follow; at the end wait until each of them has `changes` changes. Yields their latencies."""
        async with self._session.get(f"{MAPS}?limit=1") as response:
            version = (await response.json())["metadata"]["resourceVersion"]
        latencies: list[float] = []
        is_watching = asyncio.Semaphore(0)

        async def follow() -> None:
            async with self._session.get(f"{MAPS}?watch=true&resourceVersion={version}") as response:
                is_watching.release()
                for _ in range(changes):
                    data = orjson.loads(await response.content.readline())["object"]["data"]
                    latencies.append((time.monotonic_ns() - int(data["sent_ns"])) / 1e9)

        watchers = [asyncio.create_task(follow()) for _ in range(self._load.watchers)]
        for _ in watchers:
            await is_watching.acquire()
        yield latencies
        await asyncio.wait_for(asyncio.gather(*watchers), PATIENCE_S)


async def measure(load: Load) -> Found:
    """Measure everything that requests show."""
    connector = aiohttp.TCPConnector(ssl=keys.Keys(load.pki).client_context(), limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_read=120)
    async with aiohttp.ClientSession(load.url, connector=connector, timeout=timeout) as session:
        client = Client(load, session)
        creates = await client.rate(client.create, load.objects)
        patches = await client.rate(client.patch, load.requests)
        reads = await client.rate(client.read, load.requests)
        acknowledged = await client.latencies(client.patch, load.changes)
        async with client.watched(load.changes) as fed:
            await client.latencies(client.patch, load.changes)
        async with client.watched(load.changes * 5):
            watched = await client.rate(client.patch, load.changes * 5)
        return Found(creates, patches, reads, acknowledged, fed, watched)


def sync_latencies(directory: Path, count: int = 200) -> list[float]:
    """Bring `count` small writes onto the disk, one after another; seconds of each."""
    found = []
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        for _ in range(count):
            file.write(b"x" * 4200)
            began = time.monotonic()
            os.fdatasync(file.fileno())
            found.append(time.monotonic() - began)
    return found


def _measure_in_process(load: Load) -> Found:
    return asyncio.run(measure(load))


def main() -> None:
    """Start a server, load it, print the table, take it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, usual in (
        ("requests", 4000),
        ("connections", 8),
        ("objects", 5000),
        ("watchers", 50),
        ("changes", 200),
    ):
        parser.add_argument(f"--{name}", type=int, default=usual)
    wanted = parser.parse_args()
    lab = paths.paths_for(LAB)
    launching.stop(lab)
    began = time.monotonic()
    subprocess.run([BOOKMESH, "kube", "up", "--name", LAB, "--api-only"], check=True, capture_output=True)
    try:
        start_s = time.monotonic() - began
        settings = labs.require_running(lab)
        pid = orjson.loads((lab.directory / "daemon.pid").read_bytes())["pid"]
        empty_mb = process_memory.memory_mb(pid)
        load = Load(f"https://127.0.0.1:{settings.port}", lab.pki, pid, **vars(wanted))
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as process:
            found = process.submit(_measure_in_process, load).result()
        syncs = sync_latencies(lab.directory)
        show(load, found, start_s, (empty_mb, process_memory.memory_mb(pid)), syncs)
    finally:
        subprocess.run([BOOKMESH, "kube", "down", "--name", LAB], check=False, capture_output=True)


def show(
    load: Load, found: Found, start_s: float, memory_mb: tuple[float, float], syncs: list[float]
) -> None:
    """Print the table."""
    print(f"{'':48}{'measured':>20}{'goal':>14}{'ratio':>8}")
    row("start, until `kube up` is done", f"{start_s:.2f} s", f"{GOAL_START_S:.0f} s", GOAL_START_S / start_s)
    row("memory (PSS), empty", f"{memory_mb[0]:.0f} MB", f"{GOAL_MB:.0f} MB", GOAL_MB / memory_mb[0])
    row("memory (PSS), afterwards", f"{memory_mb[1]:.0f} MB")
    rate_rows("creates", found.creates, GOAL_WRITES)
    rate_rows("patches", found.patches, GOAL_WRITES)
    rate_rows("reads", found.reads, GOAL_READS)
    latency_rows("a sync of this disk", syncs)
    latency_rows("one writer, a patch acknowledged", found.acknowledged)
    latency_rows(f"{load.watchers} watchers of {load.objects:,} objects, one writer", found.fed, GOAL_P99_MS)
    rate_rows(f"{load.watchers} watchers, {load.connections} writers: patches", found.patches_watched)
    row("", f"{found.patches_watched.per_core * load.watchers:,.0f} events/s per core")
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    print(f"\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {system}, load {os.getloadavg()[0]:.1f}")


def rate_rows(what: str, rate: Rate, goal: float | None = None) -> None:
    """One rate takes two lines."""
    row(what, f"{rate.per_core:,.0f}/s per core", *((f"{goal:,.0f}/s", rate.per_core / goal) if goal else ()))
    row("", f"{rate.per_second:,.0f}/s by the clock")


def latency_rows(what: str, latencies: list[float], goal_ms: float | None = None) -> None:
    """The median and what one in a hundred exceeds."""
    p99_ms = statistics.quantiles(latencies, n=100)[98] * 1000
    row(f"{what}, p50", f"{statistics.median(latencies) * 1000:.1f} ms")
    row("", f"p99 {p99_ms:.1f} ms", *((f"{goal_ms:.0f} ms", goal_ms / p99_ms) if goal_ms else ()))


def row(what: str, measured: str, goal: str = "", ratio: float | None = None) -> None:
    """Print one line."""
    print(f"{what:48}{measured:>20}{goal:>14}{'' if ratio is None else format(ratio, '.2f'):>8}")


if __name__ == "__main__":
    main()
