"""Schedules: which times they mean, and which texts are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookmesh.base import cron

START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-01-01 12:01"),
        ("*/15 * * * *", "2026-01-01 12:15"),
        ("@hourly", "2026-01-01 13:00"),
        ("@daily", "2026-01-02 00:00"),
        ("30 11 * * *", "2026-01-02 11:30"),
        ("0 0 * * sun", "2026-01-04 00:00"),
        ("0 0 * * 7", "2026-01-04 00:00"),
        ("0 0 29 feb *", "2028-02-29 00:00"),
        ("5,10-20/5 12 * * *", "2026-01-01 12:05"),
        ("0 0 15 * mon", "2026-01-05 00:00"),
        ("0 0 */2 * mon", "2026-01-05 00:00"),
    ],
)
def test_the_next_time(text: str, expected: str) -> None:
    found = cron.parse(text).next_after(START, UTC)
    assert found is not None
    assert found.strftime("%Y-%m-%d %H:%M") == expected


def test_a_time_that_never_comes() -> None:
    assert cron.parse("0 0 31 feb *").next_after(START, UTC) is None


def test_a_time_zone() -> None:
    found = cron.parse("0 9 * * *").next_after(START, ZoneInfo("Asia/Tokyo"))
    assert found == datetime(2026, 1, 2, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * x *",
        "5-1 * * * *",
        "*/0 * * * *",
        "@never",
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cron.parse(text)


@given(st.integers(0, 59), st.integers(0, 23), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_a_daily_time_comes_within_a_day(minute: int, hour: int, start: datetime) -> None:
    moment = start.replace(tzinfo=UTC)
    found = cron.parse(f"{minute} {hour} * * *").next_after(moment, UTC)
    assert found is not None
    assert timedelta(0) < found - moment <= timedelta(days=1)
    assert (found.minute, found.hour) == (minute, hour)
