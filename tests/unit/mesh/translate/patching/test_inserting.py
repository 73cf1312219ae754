"""Changes to lists of named members."""

from __future__ import annotations

import pytest

from bookmesh.mesh.translate.patching import inserting
from bookmesh.mesh.wire import listener as wire


def changed(operation: str, wanted: str = "") -> str:
    listener = wire.Listener(listener_filters=[wire.ListenerFilter(name=name) for name in "aba"])
    inserting.change(
        listener.listener_filters,
        operation,
        None if operation == "REMOVE" else wire.ListenerFilter(name="x"),
        is_meant=lambda member: member.name == wanted,
        has_match=bool(wanted),
    )
    return "".join(member.name for member in listener.listener_filters)


@pytest.mark.parametrize(
    ("operation", "wanted", "expected"),
    [
        ("ADD", "", "abax"),
        ("ADD", "b", "abax"),
        ("INSERT_FIRST", "b", "xaba"),
        ("INSERT_BEFORE", "", "xaba"),
        ("INSERT_BEFORE", "b", "axba"),
        ("INSERT_BEFORE", "none", "aba"),
        ("INSERT_AFTER", "", "abax"),
        ("INSERT_AFTER", "a", "axba"),
        ("INSERT_AFTER", "none", "aba"),
        ("REPLACE", "a", "xba"),
        ("REPLACE", "", "aba"),
        ("REMOVE", "a", "b"),
        ("REMOVE", "", "aba"),
    ],
)
def test_place_follows_operation_and_condition(operation: str, wanted: str, expected: str) -> None:
    assert changed(operation, wanted) == expected
