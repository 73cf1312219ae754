"""
Time from `bookmesh up --bookinfo` to the first page through the ingress gateway, and the memory of everything.

Prints a table with the ratio to the budget. Each run starts from nothing, in a lab of its own.

    python benchmarks/up.py [--runs 5]
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

from bookmesh.lab import client, labs, launching, paths

BOOKMESH = Path(sys.executable).with_name("bookmesh")
LAB = "bench-up"
BUDGET_S, BUDGET_MB = 3.0, 600.0


def first_page_s(lab: paths.LabPaths) -> float:
    """Run `up --bookinfo` until a 200 on /productpage; seconds."""
    began = time.monotonic()
    subprocess.run([BOOKMESH, "up", "--name", LAB, "--bookinfo"], check=True, capture_output=True)
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


def memory_mb(root_pid: int) -> dict[str, float]:
    """Proportional set size of the lab process and all its descendants, by program; MB."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = int(text[text.rindex(")") + 2 :].split()[1])
        children.setdefault(parent, []).append(int(stat.parent.name))
    totals: dict[str, float] = {}
    todo = [root_pid]
    while todo:
        pid = todo.pop()
        todo += children.get(pid, [])
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name = "lab" if pid == root_pid else "envoy" if name == "envoy" else "fork server and pods"
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        totals[name] = totals.get(name, 0.0) + (int(found[1]) / 1024 if found else 0.0)
    return totals


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    lab = paths.paths_for(LAB)
    times, memories = [], []
    for _ in range(arguments.runs):
        launching.stop(lab)
        try:
            times.append(first_page_s(lab))
            process = labs.running(lab)
            if process is None:
                sys.exit("the lab ended")
            memories.append(memory_mb(process.pid))
        finally:
            launching.stop(lab)
    total = [sum(memory.values()) for memory in memories]
    print(f"{'what':<34}{'median':>10}{'min':>10}{'max':>10}{'budget':>10}{'ratio':>8}")
    row("up to the first page, s", times, BUDGET_S)
    row("memory (PSS) of everything, MB", total, BUDGET_MB)
    for name in sorted(memories[0]):
        row(f"  {name}, MB", [memory[name] for memory in memories], None)
    print(f"{arguments.runs} runs, {os.cpu_count()} cores, {os.uname().release}")


def row(label: str, values: list[float], budget: float | None) -> None:
    median = statistics.median(values)
    line = f"{label:<34}{median:>10.2f}{min(values):>10.2f}{max(values):>10.2f}"
    print(line + (f"{budget:>10.1f}{median / budget:>8.2f}" if budget else ""))


if __name__ == "__main__":
    main()
