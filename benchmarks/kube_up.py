"""
What an API server costs: time from `bookmesh kube up` until it answers kubectl's first request, and memory.

Prints a table with the ratio to the budget, for the API server alone, with controllers, and with a node. Each run
starts from nothing, in a cluster of its own. `import` is a Python that only imports aiohttp: what no server of this
kind can be faster than.

    python benchmarks/kube_up.py [--runs 5]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import budget_tables
import process_memory
from bookmesh.lab import client, labs, launching, paths

BOOKMESH = Path(sys.executable).with_name("bookmesh")
NAME = "bench-kube"
# (what, flags, budget of the start in s, budget of the memory in MB)
EXTENTS = (
    ("API server alone", ["--api-only"], 1.2, 70.0),
    ("with controllers", ["--no-node"], 1.5, 75.0),
    ("with a node", [], 2.5, 120.0),
)


def seconds_until_served(lab: paths.LabPaths, flags: list[str]) -> float:
    """Bring the cluster up until its status is answered."""
    began = time.monotonic()
    subprocess.run([BOOKMESH, "kube", "up", "--name", NAME, *flags], check=True, capture_output=True)
    client.fetch_status(lab)
    return time.monotonic() - began


def import_s() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import aiohttp.web"], check=True)
    return time.monotonic() - began


def measure(lab: paths.LabPaths, flags: list[str]) -> tuple[float, float]:
    """(seconds, MB) of one start from nothing."""
    launching.stop(lab)
    try:
        took = seconds_until_served(lab, flags)
        process = labs.running(lab)
        if process is None:
            sys.exit("the cluster ended")
        return took, process_memory.memory_mb(process.pid)
    finally:
        launching.stop(lab)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    lab = paths.paths_for(NAME)
    budget_tables.print_head()
    budget_tables.print_row("import, s", [import_s() for _ in range(arguments.runs)], None)
    for what, flags, budget_s, budget_mb in EXTENTS:
        measured = [measure(lab, flags) for _ in range(arguments.runs)]
        budget_tables.print_row(f"{what}, s", [one[0] for one in measured], budget_s)
        budget_tables.print_row(f"{what}, MB (PSS)", [one[1] for one in measured], budget_mb)
    budget_tables.print_foot(arguments.runs)


if __name__ == "__main__":
    main()
