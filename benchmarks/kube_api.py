"""
What the API server alone can do: writes, reads of single objects, and how soon watchers hear of a change.

The load comes from a process of its own. Rates are per second of CPU that the server used, that is per core, so that a
busy machine does not change them much; what the clock says stands beside. Prints a table with ratios to the goals.

    python benchmarks/kube_api.py [--requests 4000] [--connections 8] [--objects 5000] [--watchers 50] [--changes 200]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson

from bookmesh.lab import keys, launching, paths

BOOKMESH = Path(sys.executable).with_name("bookmesh")
LAB = "bench-kube-api"
GOAL_WRITES, GOAL_READS, GOAL_P99_MS = 1000.0, 5000.0, 50.0
MAPS = "/api/v1/namespaces/default/configmaps"
BALLAST = "x" * 1000


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


def cpu_s(pid: int) -> float:
    """CPU that a process has used; seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def rate(load: Load, one: Callable[[int], Awaitable[None]], count: int) -> Rate:
    """Make `count` requests over all connections."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await one(number)

    cpu, clock = cpu_s(load.server_pid), time.monotonic()
    await asyncio.gather(*(work() for _ in range(load.connections)))
    used, took = cpu_s(load.server_pid) - cpu, time.monotonic() - clock
    return Rate(count / max(used, 0.01), count / took)


async def measure(load: Load) -> dict[str, Rate | list[float]]:
    """Measure everything; latencies are seconds."""
    context = keys.Keys(load.pki).client_context()
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_read=120)
    async with aiohttp.ClientSession(load.url, connector=connector, timeout=timeout) as session:

        async def create(number: int) -> None:
            body = {"metadata": {"name": f"m{number}"}, "data": {"ballast": BALLAST, "number": "0"}}
            async with session.post(MAPS, json=body) as response:
                await response.read()
                response.raise_for_status()

        async def read(number: int) -> None:
            async with session.get(f"{MAPS}/m{number % load.objects}") as response:
                await response.read()
                response.raise_for_status()

        async def update(number: int) -> None:
            patch = orjson.dumps({"data": {"number": f"{number} at {time.monotonic_ns()}"}})
            headers = {"Content-Type": "application/merge-patch+json"}
            async with session.patch(
                f"{MAPS}/m{number % load.objects}", data=patch, headers=headers
            ) as response:
                await response.read()
                response.raise_for_status()

        return {
            "creates": await rate(load, create, load.objects),
            "patches": await rate(load, update, load.requests),
            "reads": await rate(load, read, load.requests),
            "watch": await watch(load, session, update),
        }


async def watch(
    load: Load, session: aiohttp.ClientSession, update: Callable[[int], Awaitable[None]]
) -> list[float]:
    """Seconds from the moment a change is sent until a watcher has it; one for each change and watcher."""
    async with session.get(f"{MAPS}?limit=1") as response:
        version = (await response.json())["metadata"]["resourceVersion"]
    sent: dict[str, float] = {}
    latencies: list[float] = []
    is_watching = asyncio.Semaphore(0)
    wanted = load.changes * load.watchers
    has_all = asyncio.Event()

    async def follow() -> None:
        async with session.get(f"{MAPS}?watch=true&resourceVersion={version}") as response:
            is_watching.release()
            async for line in response.content:
                name = orjson.loads(line)["object"]["metadata"]["name"]
                latencies.append(time.monotonic() - sent[name])
                if len(latencies) == wanted:
                    has_all.set()

    watchers = [asyncio.create_task(follow()) for _ in range(load.watchers)]
    try:
        for _ in watchers:
            await is_watching.acquire()
        for number in range(load.changes):
            sent[f"m{number}"] = time.monotonic()
            await update(number)
        await asyncio.wait_for(has_all.wait(), 60)
    finally:
        for each in watchers:
            each.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    return latencies


def _measure_in_process(load: Load, results: multiprocessing.SimpleQueue[object]) -> None:
    results.put(asyncio.run(measure(load)))


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
    subprocess.run([BOOKMESH, "kube", "up", "--name", LAB, "--api-only"], check=True, capture_output=True)
    try:
        lab = paths.paths_for(LAB)
        settings = launching.require_running(lab)
        pid = orjson.loads((lab.directory / "daemon.pid").read_bytes())["pid"]
        load = Load(f"https://127.0.0.1:{settings.port}", lab.pki, pid, **vars(wanted))
        context = multiprocessing.get_context("spawn")
        results = context.SimpleQueue()
        process = context.Process(target=_measure_in_process, args=(load, results))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit("the load failed")
        show(load, results.get())
    finally:
        subprocess.run([BOOKMESH, "kube", "down", "--name", LAB], check=False, capture_output=True)


def show(load: Load, found: dict[str, Rate | list[float]]) -> None:
    """Print the table; a ratio above 1 is better than the goal."""
    rows = []
    for name, goal in (("creates", GOAL_WRITES), ("patches", GOAL_WRITES), ("reads", GOAL_READS)):
        result = found[name]
        assert isinstance(result, Rate)
        rows.append(
            (name, f"{result.per_core:,.0f}/s per core", f"{goal:,.0f}/s", f"{result.per_core / goal:.2f}")
        )
        rows.append(("", f"{result.per_second:,.0f}/s by the clock", "", ""))
    latencies = found["watch"]
    assert isinstance(latencies, list)
    p99_ms = statistics.quantiles(latencies, n=100)[98] * 1000
    what = f"{load.watchers} watchers of {load.objects:,} objects, p99"
    rows.append((what, f"{p99_ms:.1f} ms", f"{GOAL_P99_MS:.0f} ms", f"{GOAL_P99_MS / p99_ms:.2f}"))
    sys.stdout.write(f"{'':44} {'measured':>24} {'goal':>10} {'ratio':>7}\n")
    for name, measured, goal_text, ratio in rows:
        sys.stdout.write(f"{name:44} {measured:>24} {goal_text:>10} {ratio:>7}\n")


if __name__ == "__main__":
    main()
