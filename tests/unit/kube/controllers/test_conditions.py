from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bookmesh.kube.controllers import conditions

NOW = datetime(2026, 8, 1, 12, 0, 0, tzinfo=UTC)
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-08-01T11:00:00Z"}


def test_time_is_written_in_utc_and_whole_seconds() -> None:
    moment = datetime(2026, 8, 1, 14, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert conditions.format_time(moment) == "2026-08-01T12:00:00Z"


def test_time_is_read_back() -> None:
    assert conditions.parse_time(conditions.format_time(NOW)) == NOW


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        conditions.parse_time("2026-08-01T12:00:00")


def test_same_status_keeps_its_transition_time() -> None:
    changed = conditions.put([READY], {"type": "Ready", "status": "True", "reason": "Other"}, now=NOW)
    assert changed == [{**READY, "reason": "Other"}]


def test_other_status_is_a_transition() -> None:
    changed = conditions.put([READY], {"type": "Ready", "status": "False"}, now=NOW)
    assert changed == [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-08-01T12:00:00Z"}]


def test_order_is_kept_and_a_new_type_comes_last() -> None:
    listed = conditions.put(
        [READY, {"type": "B", "status": "True"}], {"type": "Ready", "status": "False"}, now=NOW
    )
    listed = conditions.put(listed, {"type": "C", "status": "True"}, now=NOW)
    assert [each["type"] for each in listed] == ["Ready", "B", "C"]


def test_the_old_list_is_not_changed() -> None:
    before = [dict(READY)]
    conditions.put(before, {"type": "Ready", "status": "False"}, now=NOW)
    assert before == [READY]


def test_no_list_has_no_conditions() -> None:
    assert conditions.find(None, "Ready") is None
    assert not conditions.is_true(None, "Ready")
    assert conditions.drop(None, "Ready") == []
