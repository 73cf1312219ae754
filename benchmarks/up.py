"""
Time from `bookmesh up --bookinfo` to the first page through the ingress gateway, and the memory of everything.

Prints a table with the ratio to the budget. Each run starts from nothing, in a lab of its own. One more before them
leaves compiled modules in a directory of its own, as an installation has them and a clone may not. `CPU` is that of the
command, of the lab and of all that it started, when the page is there: it says more than the clock on a busy machine.

    python benchmarks/up.py [--runs 5]
"""

from __future__ import annotations

import argparse
import http.client
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import budget_tables
import process_memory
from bookmesh.lab import client, labs, launching, paths

BOOKMESH = Path(sys.executable).with_name("bookmesh")
LAB = "bench-up"
BUDGET_S, BUDGET_MB = 3.0, 600.0


def first_page_s(lab: paths.LabPaths, compiled: Path) -> float:
    """Run `up --bookinfo` until a 200 on /productpage; seconds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(compiled)
    began = time.monotonic()
    command = [BOOKMESH, "up", "--name", LAB, "--bookinfo"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    url = urllib.parse.urlsplit(client.fetch_status(lab)["pages"][0])
    while True:
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)
        try:
            connection.request("GET", url.path)
            if connection.getresponse().status == http.client.OK:
                return time.monotonic() - began
        finally:
            connection.close()
        if time.monotonic() - began > 60:
            sys.exit("no page after 60 s")


def cpu_s(root: int) -> float:
    """CPU time of a process and all its descendants, with those that ended and were waited for."""
    ticks = 0
    for pid, _, _ in process_memory.sizes(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(root: int) -> dict[str, float]:
    """What the lab process and all its descendants take, by program."""
    totals: dict[str, float] = {}
    for pid, name, size in process_memory.sizes(root):
        program = "lab" if pid == root else "envoy" if name == "envoy" else "fork server and pods"
        totals[program] = totals.get(program, 0.0) + size
    return totals


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    lab = paths.paths_for(LAB)
    times, loads, memories = [], [], []
    with tempfile.TemporaryDirectory(prefix="bookmesh-bench-") as compiled:
        for _ in range(arguments.runs + 1):
            launching.stop(lab)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            try:
                times.append(first_page_s(lab, Path(compiled)))
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                process = labs.running(lab)
                if process is None:
                    sys.exit("the lab ended")
                command = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                loads.append(command + cpu_s(process.pid))
                memories.append(memory_mb(process.pid))
            finally:
                launching.stop(lab)
    del times[0], loads[0], memories[0]
    total = [sum(memory.values()) for memory in memories]
    budget_tables.print_head()
    budget_tables.print_row("up to the first page, s", times, BUDGET_S)
    budget_tables.print_row("  CPU until then, s", loads, None)
    budget_tables.print_row("memory (PSS) of everything, MB", total, BUDGET_MB)
    for name in sorted(memories[0]):
        budget_tables.print_row(f"  {name}, MB", [memory[name] for memory in memories], None)
    budget_tables.print_foot(arguments.runs)


if __name__ == "__main__":
    main()
