from __future__ import annotations

import asyncio

from tests.unit.lab.standins import small_servers

from bookmesh.lab.standins import calling, loading

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


async def test_calls_are_counted_by_code_and_shared_among_threads() -> None:
    plan = loading.Plan(threads=3, calls=20, qps=0)
    async with small_servers.answering_with([OK, OK, OK, BUSY]) as port:
        outcome = await loading.run(calling.parse_target(f"http://127.0.0.1:{port}/"), plan)
    assert outcome.codes == {200: 15, 503: 5}
    lines = loading.report(outcome, plan).splitlines()
    assert "Code 200 : 15 (75.0 %)" in lines
    assert "Code 503 : 5 (25.0 %)" in lines
    assert lines[-1].startswith("All done 20 calls (plus 0 warmup) ")
    assert outcome.sockets >= 3
    assert outcome.complaints[0] == "Parsed non ok code 503 (HTTP/1.1 503 Service Unavailable)"


async def test_calls_without_an_answer_count_as_minus_one() -> None:
    async with small_servers.answering_with([OK]) as port:
        pass
    outcome = await loading.run(
        calling.parse_target(f"http://127.0.0.1:{port}/"), loading.Plan(calls=2, qps=0)
    )
    assert outcome.codes == {loading.FAILED: 2}


async def test_load_can_be_limited_in_time_and_rate() -> None:
    plan = loading.Plan(threads=1, qps=100, seconds=0.1)
    async with small_servers.answering_with([OK]) as port, asyncio.timeout(20):
        outcome = loading.Outcome()
        while not outcome.latencies_s:  # a machine that stands still meanwhile makes no call in the time
            outcome = await loading.run(calling.parse_target(f"http://127.0.0.1:{port}/"), plan)
    assert len(outcome.latencies_s) <= 12


def test_the_histogram_ends_at_all_of_them() -> None:
    lines = list(loading._histogram([0.0005, 0.0015, 0.0025, 0.5]))
    assert lines[0].startswith(">= 0.0005 <= 0.001 , ")
    assert lines[-1].endswith(" 100.00, 1")
    assert len(lines) == 4


def test_no_calls_make_a_short_report() -> None:
    assert loading.report(loading.Outcome(), loading.Plan()) == "Ended after 0s : 0 calls. qps=0\n"
