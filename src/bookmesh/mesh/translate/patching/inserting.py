"""Changes to lists whose members have names: filters of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def change(
    members: Any, operation: str, value: Any, *, is_meant: Callable[[Any], bool], has_match: bool
) -> None:
    """
    Change a repeated field in place.

    Without a condition on members (`has_match`) there is no member to stand before or after: then the ends of the list
    are meant, and nothing is replaced or removed.
    """
    found = next((i for i, member in enumerate(members) if is_meant(member)), None) if has_match else None
    if operation == "ADD" or (operation == "INSERT_AFTER" and not has_match):
        members.append(value)
    elif operation == "INSERT_FIRST" or (operation == "INSERT_BEFORE" and not has_match):
        members.insert(0, value)
    elif operation == "REMOVE" and has_match:
        for member in [m for m in members if is_meant(m)]:
            members.remove(member)
    elif found is None:
        return
    elif operation == "INSERT_BEFORE":
        members.insert(found, value)
    elif operation == "INSERT_AFTER":
        members.insert(found + 1, value)
    elif operation == "REPLACE":
        members[found].CopyFrom(value)
