"""Load as `fortio load` makes it, and its report: counts by status, latencies as a histogram."""

from __future__ import annotations

import asyncio
import collections
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bookmesh.lab.standins import calling

FAILED: Final = -1
"""The code under which fortio counts calls without an answer."""

_PERCENTILES: Final = (50.0, 75.0, 90.0, 99.0, 99.9)
_BOUNDS_S: Final = tuple(
    step * scale for scale in (0.001, 0.01, 0.1, 1.0) for step in (1, 2, 3, 4, 5, 6, 7, 8, 9)
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`calls` 0 means until `seconds` are over; `qps` 0 means as fast as it goes; both are for all threads together."""

    threads: int = 4
    calls: int = 0
    qps: float = 8.0
    seconds: float = 5.0


@dataclass(slots=True)
class Outcome:
    """What came of it; one entry of `latencies_s` for each call."""

    codes: collections.Counter[int] = field(default_factory=collections.Counter)
    latencies_s: list[float] = field(default_factory=list)
    head_bytes: list[int] = field(default_factory=list)
    total_bytes: list[int] = field(default_factory=list)
    sockets: int = 0
    took_s: float = 0.0
    complaints: list[str] = field(default_factory=list)


async def run(target: calling.Target, plan: Plan, *, tls: ssl.SSLContext | None = None) -> Outcome:
    """Make the calls; a call that fails is counted, not raised."""
    outcome = Outcome()
    began = time.monotonic()
    shares = [len(range(thread, plan.calls, plan.threads)) for thread in range(plan.threads)]
    async with asyncio.TaskGroup() as group:
        for share in shares:
            if share or not plan.calls:
                connection = calling.Connection(target, tls=tls)
                group.create_task(_work(connection, plan, share=share, began=began, outcome=outcome))
    outcome.took_s = time.monotonic() - began
    return outcome


async def _work(
    connection: calling.Connection, plan: Plan, *, share: int, began: float, outcome: Outcome
) -> None:
    """One thread's calls, one after the other."""
    pause_s = plan.threads / plan.qps if plan.qps > 0 else 0.0
    done = 0
    while done < share if plan.calls else time.monotonic() < began + plan.seconds:
        if pause_s:
            await asyncio.sleep(max(0.0, began + done * pause_s - time.monotonic()))
        await _call(connection, outcome)
        done += 1
    outcome.sockets += connection.opened
    await connection.close()


async def _call(connection: calling.Connection, outcome: Outcome) -> None:
    started = time.monotonic()
    try:
        reply = await connection.call()
    except (OSError, ValueError) as error:
        code, head, total = FAILED, 0, 0
        outcome.complaints.append(f"Unable to get an answer: {error}")
    else:
        code, total = reply.status, len(reply.head) + len(reply.body)
        head = len(reply.head) if code < 400 else 0
        if code >= 400:
            first = reply.head.partition(b"\r\n")[0].decode("latin-1")
            outcome.complaints.append(f"Parsed non ok code {code} ({first})")
            await connection.close()  # fortio takes a fresh one after an error
    outcome.codes[code] += 1
    outcome.latencies_s.append(time.monotonic() - started)
    outcome.head_bytes.append(head)
    outcome.total_bytes.append(total)


def report(outcome: Outcome, plan: Plan) -> str:
    """Lay the outcome out as fortio does."""
    return "\n".join(_report_lines(outcome, plan)) + "\n"


def _report_lines(outcome: Outcome, plan: Plan) -> Iterator[str]:
    count = len(outcome.latencies_s)
    qps = count / outcome.took_s if outcome.took_s else 0.0
    yield f"Ended after {outcome.took_s:.6g}s : {count} calls. qps={qps:.5g}"
    if not count:
        return
    yield f"Aggregated Function Time : {_statistics(outcome.latencies_s)}"
    yield "# range, mid point, percentile, count"
    yield from _histogram(outcome.latencies_s)
    ordered = sorted(outcome.latencies_s)
    for percentile in _PERCENTILES:
        value = ordered[min(count - 1, int(count * percentile / 100))]
        yield f"# target {percentile:g}% {value:.6g}"
    yield f"Sockets used: {outcome.sockets} (for perfect keepalive, would be {min(plan.threads, count)})"
    for code, number in sorted(outcome.codes.items()):
        yield f"Code {code:3d} : {number} ({100 * number / count:.1f} %)"
    yield f"Response Header Sizes : {_statistics(outcome.head_bytes)}"
    yield f"Response Body/Total Sizes : {_statistics(outcome.total_bytes)}"
    average_ms = 1000 * sum(outcome.latencies_s) / count
    yield f"All done {count} calls (plus 0 warmup) {average_ms:.3f} ms avg, {qps:.1f} qps"


def _statistics(values: Sequence[float]) -> str:
    count, total = len(values), sum(values)
    average = total / count
    deviation = (sum((value - average) ** 2 for value in values) / count) ** 0.5
    return (
        f"count {count} avg {average:.6g} +/- {deviation:.4g} min {min(values):.6g} "
        f"max {max(values):.6g} sum {total:.9g}"
    )


def _histogram(values: Sequence[float]) -> Iterator[str]:
    """A line per bucket that is not empty; percentiles are cumulative."""
    ordered = sorted(values)
    low, seen, sign = ordered[0], 0, ">="
    for high in [*(bound for bound in _BOUNDS_S if bound > ordered[0]), float("inf")]:
        inside = sum(1 for value in ordered[seen:] if value <= high)
        if inside:
            top = min(high, ordered[-1]) if seen + inside == len(ordered) else high
            seen += inside
            middle, percent = (low + top) / 2, 100 * seen / len(ordered)
            yield f"{sign} {low:.6g} <= {top:.6g} , {middle:.6g} , {percent:.2f}, {inside}"
        low, sign = high, ">"
        if seen == len(ordered):
            return
