"""
What is noted of a request for the audit log, by whoever judges it on the way (`audit.k8s.io/v1` `annotations`).

Whoever notes something does not know whether anybody writes it down.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

_CURRENT: Final[ContextVar[dict[str, str] | None]] = ContextVar("audit_annotations", default=None)


def begin() -> dict[str, str]:
    """Collect what is noted from now on, in this task and in what it starts; may stay empty."""
    found: dict[str, str] = {}
    _CURRENT.set(found)
    return found


def note(key: str, value: str) -> None:
    """Note something of the request that is being answered; the first value of a key stays."""
    found = _CURRENT.get()
    if found is not None:
        found.setdefault(key, value)
