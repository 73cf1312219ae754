"""What the history keeps, and what it says of the rest."""

from __future__ import annotations

import pytest

from bookmesh.kube.store import records
from bookmesh.kube.store.history import History

PODS = records.GroupResource("", "pods")
SERVICES = records.GroupResource("", "services")


def change(version: int, resource: records.GroupResource = PODS, *, size: int = 10) -> records.Change:
    stored = records.Stored(resource, "default", f"o{version}", {}, b"x" * size, version)
    return records.Change("ADDED", stored, None)


def versions(history: History, since: int, most_bytes: int | None = None) -> list[int]:
    return [each.stored.version for each in history.since(PODS, since, most_bytes=most_bytes)]


def test_what_came_after_a_version_is_known() -> None:
    history = History(start=4, limit=10)
    for version in (5, 7, 8):
        history.append(change(version))
    history.append(change(6, SERVICES))
    assert [versions(history, since) for since in (4, 5, 6, 7, 8, 9)] == [
        [5, 7, 8],
        [7, 8],
        [7, 8],
        [8],
        [],
        [],
    ]
    assert (history.newest(PODS), history.newest(SERVICES)) == (8, 6)
    assert history.newest(records.GroupResource("", "none")) == 0


def test_what_came_before_the_start_is_not() -> None:
    with pytest.raises(records.Expired) as refusal:
        History(start=4, limit=10).since(PODS, 3)
    assert (refusal.value.since, refusal.value.oldest) == (3, 4)


def test_a_part_has_about_as_much_as_wanted_and_at_least_one() -> None:
    history = History(start=0, limit=10)
    for version in (1, 2, 3, 4):
        history.append(change(version, size=100))
    assert versions(history, 0, most_bytes=1) == [1]
    assert versions(history, 1, most_bytes=150) == [2, 3]
    assert versions(history, 1, most_bytes=1000) == [2, 3, 4]


def test_the_oldest_are_forgotten_resource_by_resource() -> None:
    history = History(start=0, limit=3)
    history.append(change(1, SERVICES))
    for version in (2, 3, 4, 5):
        history.append(change(version))
    assert versions(history, 2) == [3, 4, 5]
    with pytest.raises(records.Expired):
        history.check(PODS, 1)
    with pytest.raises(records.Expired):
        history.check(SERVICES, 0)
    history.check(SERVICES, 1)
