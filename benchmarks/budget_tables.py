"""A table of what was measured against its budget: a row a figure, with the ratio of its median to the budget."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence


def print_head() -> None:
    print(f"{'what':<34}{'median':>10}{'min':>10}{'max':>10}{'budget':>10}{'ratio':>8}")


def print_row(label: str, values: Sequence[float], budget: float | None) -> None:
    """Print a figure of several runs; without a budget it is only shown."""
    median = statistics.median(values)
    line = f"{label:<34}{median:>10.2f}{min(values):>10.2f}{max(values):>10.2f}"
    print(line + (f"{budget:>10.1f}{median / budget:>8.2f}" if budget else ""))


def print_foot(runs: int) -> None:
    """Say how often, and where."""
    print(f"{runs} runs, {os.cpu_count()} cores, {os.uname().release}")
