from __future__ import annotations

import asyncio

import pytest

from bookmesh.mesh.control.pacing import Pace


@pytest.fixture
def slept(monkeypatch):
    """Virtual time: sleeping advances the clock at once."""
    times: list[float] = []

    async def sleep(seconds):
        times.append(seconds)
        clock.now_s += seconds

    monkeypatch.setattr("bookmesh.mesh.control.pacing.asyncio.sleep", sleep)
    return times


class clock:
    now_s = 50.0
    spent_s = 7.0


@pytest.fixture
def pace():
    clock.now_s, clock.spent_s = 50.0, 7.0
    return Pace(interval_s=0.008, clock=lambda: clock.now_s, effort=lambda: clock.spent_s)


async def test_the_first_change_after_a_quiet_time_is_not_delayed(pace, slept):
    pace.mark()
    await pace.next()
    assert slept == []


async def test_the_next_change_waits_for_the_interval(pace, slept):
    pace.mark()
    await pace.next()
    pace.done()
    clock.now_s += 0.002
    pace.mark()
    await pace.next()
    assert slept == [pytest.approx(0.006)]
    assert pace.marked_s == pytest.approx(50.002)


async def test_a_long_build_is_followed_by_a_pause_as_long(pace, slept):
    pace.mark()
    await pace.next()
    clock.now_s += 0.1
    clock.spent_s += 0.1
    pace.done()
    pace.mark()
    await pace.next()
    assert slept == [pytest.approx(0.1)]


async def test_a_build_that_waited_for_a_processor_is_followed_by_no_longer_pause(pace, slept):
    pace.mark()
    await pace.next()
    clock.now_s += 3.0  # other programs had it
    clock.spent_s += 0.02
    pace.done()
    pace.mark()
    await pace.next()
    assert slept == [pytest.approx(0.02)]


async def test_changes_merge_and_the_oldest_counts(pace, slept):
    pace.mark()
    clock.now_s += 0.003
    pace.mark()
    await pace.next()
    assert pace.marked_s == 50.0
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pace.next(), 0.01)


async def test_a_change_during_the_work_leads_to_another_round(pace, slept):
    pace.mark()
    await pace.next()
    pace.mark()
    pace.done()
    await asyncio.wait_for(pace.next(), 20)
