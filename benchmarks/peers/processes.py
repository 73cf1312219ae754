"""A server process under measurement: started on one core, asked until it answers, its CPU time and memory read."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_LIMIT_S = 120.0
STOP_LIMIT_S = 10.0


@dataclass
class Server:
    """One competitor: how to start it, which path is asked, and how many connections ask."""

    group: str
    """Servers of one group answer the same question and are compared with each other."""
    name: str
    command: Sequence[str]
    port: int
    path: str
    connections: int
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self, *, core: int, log: IO[bytes]) -> float:
        """Start it on `core`; return the milliseconds until its first 200."""
        began = time.monotonic()
        with on_core(core):
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while self.ask() is None:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with code {self.process.returncode}: {tail(log)}")
            if time.monotonic() - began > START_LIMIT_S:
                sys.exit(f"{self.name} gave no answer within {START_LIMIT_S:g} s: {tail(log)}")
            time.sleep(0.002)
        return (time.monotonic() - began) * 1000

    def ask(self) -> bytes | None:
        """Return the body of one answer; None unless its status is 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self.path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return body if response.status == http.client.OK else None

    def stop(self) -> None:
        """End it and all its children; also right when it has not been started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def cpu_s(self) -> float:
        """User and system time of the process tree so far."""
        ticks = 0
        for pid in self._tree():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(after_name[11]) + int(after_name[12])
        return ticks / TICKS_PER_S

    def memory_mb(self) -> float:
        """Proportional set size of the process tree."""
        total_kb = 0
        for pid in self._tree():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
                total_kb += int(found[1]) if found else 0
        return total_kb / 1024

    def _tree(self) -> list[int]:
        """The pid of the process and those of all its descendants."""
        pids = [] if self.process is None else [self.process.pid]
        for pid in pids:  # grows while it is walked
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    pids += map(int, children.read_text().split())
        return pids


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Pin what is started inside to one core: a child inherits it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Load:
    """What wrk saw in one round."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float


def run_wrk(server: Server, *, core: int, seconds: int) -> Load:
    """Ask one server as fast as it answers, from `core`. Any failed request ends the benchmark."""
    command = ["wrk", "-t1", f"-c{server.connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    with on_core(core):
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{server.port}{server.path}"],
            capture_output=True,
            text=True,
            check=True,
        )
    failed = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", done.stdout)
    if failed:
        sys.exit(f"{server.name}: {failed[0]}")
    counted = re.search(r"(\d+) requests in ([\d.]+)(m?s)", done.stdout)
    if counted is None:
        sys.exit(f"wrk said nothing that can be read: {done.stdout}")
    if not int(counted[1]):
        sys.exit(f"{server.name} answered nothing in {seconds} s; more seconds a round may do")
    return Load(
        requests=int(counted[1]),
        seconds=float(counted[2]) / (1000 if counted[3] == "ms" else 1),
        p50_ms=latency_ms(done.stdout, "50%"),
        p99_ms=latency_ms(done.stdout, "99%"),
    )


def latency_ms(output: str, percentile: str) -> float:
    """Read a line such as `  99%    1.23ms`."""
    found = re.search(rf"^\s+{percentile}\s+([\d.]+)(us|ms|s)\s*$", output, re.MULTILINE)
    if found is None:
        sys.exit(f"wrk printed no {percentile} latency: {output}")
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def tail(log: IO[bytes]) -> str:
    """The last words of a log file."""
    return Path(log.name).read_bytes()[-2000:].decode(errors="replace")
