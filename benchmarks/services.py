"""
Our four services against the same in Go and, where installed, against Istio's own: one core each, in turns.

Every server is pinned to one core, and wrk asks it from another. All stay up; each round visits them in a new order,
so that a slow minute of the machine hits all alike; the figures are medians over the rounds, and a ratio is the median
of the rounds' ratios. Ours runs as it comes: metrics, JSON log lines and limits are on. Logs of all go to files.

    python benchmarks/services.py [--rounds 5] [--seconds 2] [--only productpage]

Istio's own services take part when they are there. From a copy of Istio's repository, in samples/bookinfo/src:

    python3 -m venv VENV && VENV/bin/pip install -r productpage/requirements.txt
    (cd ratings && npm install)
    python benchmarks/services.py --istio-productpage productpage --istio-productpage-python VENV/bin/python \\
      --istio-ratings ratings
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from peers import processes, servers
from peers.processes import Server

TARGETS = (
    # group, against whom, at least so many times its requests/s
    (servers.PAGE, servers.FLASK_ONE, 6.0),
    (servers.PAGE, servers.FLASK_EIGHT, 6.0),
    ("ratings", servers.NODE, 1.0),
    *((leaf, servers.GO, 0.5) for leaf in servers.LEAVES),
)


@dataclass
class Record:
    """What was measured of one server, a value a round."""

    starts_ms: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    memory_mb: float = 0.0
    body_bytes: int = 0


Records = dict[tuple[str, str], Record]


def main() -> None:
    arguments = parse_arguments()
    if shutil.which("wrk") is None:
        sys.exit("wrk, which makes the load, is not installed (Debian: apt-get install wrk)")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the server, one for the load")
    server_core, load_core = cores[0], cores[1]
    os.sched_setaffinity(0, {load_core})
    with tempfile.TemporaryDirectory(prefix="bookinfo-bench-") as name, ExitStack() as stack:
        directory = Path(name)
        go = servers.build_go(directory)
        if go is None:
            print("go is not on PATH: its peers do not take part", file=sys.stderr)
        backends, helpers = servers.build_backends(go)
        competitors = [
            one for one in build_competitors(arguments, go, backends) if matches(one, arguments.only)
        ]
        logs = {
            id(one): log_file(stack, directory, number) for number, one in enumerate([*helpers, *competitors])
        }
        for server in [*helpers, *competitors]:
            stack.callback(server.stop)
        for server in helpers:
            server.start(core=load_core, log=logs[id(server)])
        records: Records = {(one.group, one.name): Record() for one in competitors}
        start_in_turns(competitors, records, logs, runs=arguments.rounds, core=server_core)
        for server in competitors:
            processes.run_wrk(server, core=load_core, seconds=1)  # warm
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            for server in shuffled(competitors):
                measure(server, records, core=load_core, seconds=arguments.seconds)
                logs[id(server)].truncate(0)
        for server in competitors:
            record = records[server.group, server.name]
            record.memory_mb = server.memory_mb()
            record.body_bytes = len(server.ask() or b"")
    print_table(records)
    print_targets(records)
    print_footer(arguments)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--seconds", type=int, default=2, help="of load on each server a round; default: 2")
    parser.add_argument("--only", metavar="GROUP", help="measure only groups whose name contains this")
    parser.add_argument(
        "--istio-productpage", type=Path, metavar="DIR", help="folder with Istio's productpage.py"
    )
    parser.add_argument(
        "--istio-productpage-python", type=Path, metavar="PYTHON", help="with its requirements"
    )
    parser.add_argument(
        "--istio-ratings", type=Path, metavar="DIR", help="folder with ratings.js and node_modules"
    )
    arguments = parser.parse_args()
    if (arguments.istio_productpage is None) != (arguments.istio_productpage_python is None):
        parser.error("--istio-productpage and --istio-productpage-python go together")
    return arguments


def build_competitors(
    arguments: argparse.Namespace, go: Path | None, backends: servers.Backends
) -> list[Server]:
    found: list[Server] = []
    variants = (
        ("ratings", "v1"),
        ("details", "v1"),
        ("reviews", "v1"),
        ("reviews", "v3"),
        ("productpage", "v1"),
    )
    for service, version in variants:
        found.append(servers.ours(service, version, backends))
        if go is not None:
            found.append(servers.go_peer(go, service, version, backends))
    if arguments.istio_ratings is not None:
        found.append(servers.istio_ratings(arguments.istio_ratings))
    if arguments.istio_productpage is not None:
        for workers in (1, 8):
            python = arguments.istio_productpage_python.absolute()  # not resolved: it is a link in a venv
            found.append(servers.istio_page(arguments.istio_productpage, python, backends, workers=workers))
    return found


def matches(server: Server, only: str | None) -> bool:
    return only is None or only in server.group


def log_file(stack: ExitStack, directory: Path, number: int) -> IO[bytes]:
    """A file for what one server prints; written at its end, so that it can be cut while the server runs."""
    return stack.enter_context((directory / f"{number}.log").open("ab"))


def shuffled(competitors: Sequence[Server]) -> list[Server]:
    return random.sample(competitors, len(competitors))


def start_in_turns(
    competitors: Sequence[Server], records: Records, logs: dict[int, IO[bytes]], *, runs: int, core: int
) -> None:
    """Start each server `runs` times, note how long it took, and leave it up the last time."""
    for _ in range(runs):
        for server in shuffled(competitors):
            server.stop()
            records[server.group, server.name].starts_ms.append(server.start(core=core, log=logs[id(server)]))


def measure(server: Server, records: Records, *, core: int, seconds: int) -> None:
    """Put one server under load once."""
    before_s = server.cpu_s()
    load = processes.run_wrk(server, core=core, seconds=seconds)
    used_s = server.cpu_s() - before_s
    record = records[server.group, server.name]
    record.per_second.append(load.requests / load.seconds)
    record.cpu_us.append(used_s / load.requests * 1e6)
    record.p50_ms.append(load.p50_ms)
    record.p99_ms.append(load.p99_ms)


def ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """The median of what the rounds say one by one."""
    return statistics.median(a / b for a, b in zip(ours, others, strict=True))


def print_table(records: Records) -> None:
    columns: tuple[tuple[str, int, Callable[[Record], str]], ...] = (
        ("requests/s", 11, lambda record: f"{statistics.median(record.per_second):,.0f}"),
        ("CPU us", 9, lambda record: f"{statistics.median(record.cpu_us):,.0f}"),
        ("p50 ms", 8, lambda record: f"{statistics.median(record.p50_ms):.2f}"),
        ("p99 ms", 8, lambda record: f"{statistics.median(record.p99_ms):.1f}"),
        ("PSS MB", 8, lambda record: f"{record.memory_mb:.1f}"),
        ("start ms", 9, lambda record: f"{statistics.median(record.starts_ms):,.0f}"),
        ("bytes", 7, lambda record: f"{record.body_bytes}"),
    )
    print(
        f"{'service':<26}{'server':<24}"
        + "".join(f"{name:>{width}}" for name, width, _ in columns)
        + f"{'ours':>8}"
    )
    for (group, name), record in records.items():
        ours = records[group, servers.OURS]
        times = "" if record is ours else f"{ratio(ours.per_second, record.per_second):.2f}x"
        cells = "".join(f"{show(record):>{width}}" for _, width, show in columns)
        print(f"{group:<26}{name:<24}{cells}{times:>8}")


def print_targets(records: Records) -> None:
    print(f"\n{'target: requests/s of ours against':<50}{'at least':>9}{'is':>8}{'by CPU':>8}")
    for group, against, wanted in TARGETS:
        other = records.get((group, against))
        if other is None:
            if (group, servers.OURS) in records:
                print(f"{f'{group}: {against}':<50}{wanted:>8.1f}x   not here")
            continue
        ours = records[group, servers.OURS]
        reached = ratio(ours.per_second, other.per_second)
        by_cpu = ratio(other.cpu_us, ours.cpu_us)
        verdict = "met" if reached >= wanted else "missed"
        print(f"{f'{group}: {against}':<50}{wanted:>8.1f}x{reached:>7.2f}x{by_cpu:>7.2f}x  {verdict}")


def print_footer(arguments: argparse.Namespace) -> None:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(
        f"\n{datetime.date.today().isoformat()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, Linux"
        f" {platform.release()}, Python {platform.python_version()}; medians of {arguments.rounds} rounds of"
        f" {arguments.seconds} s; {servers.LEAF_CONNECTIONS} connections, productpage {servers.PAGE_CONNECTIONS};"
        " start: until the first answer; CPU: user and system time a request; ours: requests/s of ours over its"
    )


if __name__ == "__main__":
    main()
