from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from bookinfo.ratings import faults
from bookinfo.ratings.faults import Fate

MINUTE = 60


@pytest.mark.parametrize(
    ("version", "uptime_s", "chance", "expected"),
    [
        ("v-faulty", 0, 0.0, Fate.REFUSED),
        ("v-faulty", 10_000, 0.4999, Fate.REFUSED),
        ("v-faulty", 0, 0.5, Fate.ANSWERED),
        ("v-faulty", 0, 0.9999, Fate.ANSWERED),
        ("v-delayed", 0, 0.0, Fate.DELAYED),
        ("v-delayed", 0, 0.4999, Fate.DELAYED),
        ("v-delayed", 0, 0.5, Fate.ANSWERED),
        ("v-unavailable", 0, 0.0, Fate.ANSWERED),
        ("v-unavailable", 59.99, 0.0, Fate.ANSWERED),
        ("v-unavailable", 60, 0.9999, Fate.REFUSED),
        ("v-unavailable", 119.99, 0.9999, Fate.REFUSED),
        ("v-unavailable", 120, 0.0, Fate.ANSWERED),
        ("v-unavailable", 180, 0.0, Fate.REFUSED),
        ("v-unhealthy", 14.99 * MINUTE, 0.0, Fate.ANSWERED),
        ("v-unhealthy", 15 * MINUTE, 0.9999, Fate.REFUSED),
        ("v-unhealthy", 29.99 * MINUTE, 0.9999, Fate.REFUSED),
        ("v-unhealthy", 30 * MINUTE, 0.0, Fate.ANSWERED),
    ],
)
def test_fate_of_a_request(version: str, uptime_s: float, chance: float, expected: Fate) -> None:
    assert faults.fate(faults.VARIANTS[version], uptime_s=uptime_s, chance=chance) is expected


@pytest.mark.parametrize(
    ("version", "uptime_s", "expected"),
    [
        ("v-unhealthy", 0, True),
        ("v-unhealthy", 14.99 * MINUTE, True),
        ("v-unhealthy", 15 * MINUTE, False),
        ("v-unhealthy", 29.99 * MINUTE, False),
        ("v-unhealthy", 30 * MINUTE, True),
        ("v-unavailable", 90, True),
        ("v-faulty", 0, True),
        ("v-delayed", 0, True),
    ],
)
def test_health(version: str, uptime_s: float, expected: bool) -> None:
    assert faults.is_healthy(faults.VARIANTS[version], uptime_s) is expected


@pytest.mark.parametrize("version", ["", "v1", "v2", "v3", "v-something"])
def test_other_versions_are_well_behaved(version: str) -> None:
    clock = iter(range(0, 10_000_000, 1000)).__next__
    behaviour = faults.Faults(version, clock=clock, dice=lambda: 0.0)
    assert {behaviour.fate() for _ in range(100)} == {Fate.ANSWERED}
    assert all(behaviour.is_healthy() for _ in range(100))


@pytest.mark.parametrize(("version", "fate"), [("v-faulty", Fate.REFUSED), ("v-delayed", Fate.DELAYED)])
def test_about_half_of_the_requests_are_hit(version: str, fate: Fate) -> None:
    behaviour = faults.Faults(version, clock=lambda: 0.0, dice=Random(7).random)
    assert 450 < Counter(behaviour.fate() for _ in range(1000))[fate] < 550


def test_clock_starts_with_the_process() -> None:
    now = 5_000.0
    behaviour = faults.Faults("v-unavailable", clock=lambda: now, dice=lambda: 0.0)
    assert behaviour.fate() is Fate.ANSWERED
    now += 60
    assert behaviour.fate() is Fate.REFUSED
    now += 60
    assert behaviour.fate() is Fate.ANSWERED
