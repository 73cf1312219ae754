"""Which changes are for a place."""

from __future__ import annotations

import pytest
from tests.unit.mesh.translate.patching.changes import change, place

NAMED = {"name": "x"}


@pytest.mark.parametrize(
    ("wanted", "here", "is_for"),
    [
        (None, "SIDECAR_INBOUND", True),
        ("ANY", "GATEWAY", True),
        ("GATEWAY", "GATEWAY", True),
        ("GATEWAY", "SIDECAR_OUTBOUND", False),
        ("SIDECAR_INBOUND", "SIDECAR_OUTBOUND", False),
    ],
)
def test_context_decides(wanted: str | None, here: str, is_for: bool) -> None:
    match = {"context": wanted} if wanted else {}
    found = place(change("CLUSTER", "ADD", NAMED, **match), context=here)
    assert bool(list(found.changes("CLUSTER"))) is is_for


def test_part_and_operation_decide() -> None:
    found = place(change("CLUSTER", "ADD", NAMED), change("LISTENER", "REMOVE"), change("CLUSTER", "REMOVE"))
    assert [c.operation for c in found.changes("CLUSTER")] == ["ADD", "REMOVE"]
    assert [c.operation for c in found.changes("CLUSTER", ["ADD"])] == ["ADD"]
    assert [c.value for c in found.changes("LISTENER")] == [None]


def test_what_cannot_be_read_is_left_out_and_the_rest_stays() -> None:
    broken = change("CLUSTER", "MERGE", {"connect_timeout": "soon"})
    found = place(broken, change("CLUSTER", "MERGE", {"connect_timeout": "1s"}))
    assert [c.value.connect_timeout.seconds for c in found.changes("CLUSTER")] == [1]
