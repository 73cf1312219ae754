"""Column definitions, and texts that several kinds show."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject

NONE: Final = "<none>"
UNKNOWN: Final = "<unknown>"

# (object, now) -> one cell a column
Row = Callable[[JsonObject, datetime.datetime], list[Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """`priority` above 0 is shown by `-o wide` alone."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""

    def definition(self) -> JsonObject:
        """As in `columnDefinitions` of a Table."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description or self.name,
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class Printer:
    """How one kind is shown; `row` gives as many cells as there are columns."""

    columns: tuple[Column, ...]
    row: Row


NAME: Final = Column("Name", format="name", description="Name must be unique within a namespace.")
AGE: Final = Column("Age", description="Time since the object was created.")


def wide(*names: str) -> tuple[Column, ...]:
    """Text columns that only `-o wide` shows."""
    return tuple(Column(name, priority=1) for name in names)


def age(obj: JsonObject, now: datetime.datetime) -> str:
    """Time since the object was created."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def since(timestamp: str | None, now: datetime.datetime) -> str:
    """Time since an RFC 3339 moment; `<unknown>` when there is none, `<invalid>` when it is not a time."""
    if not timestamp:
        return UNKNOWN
    try:
        moment = datetime.datetime.fromisoformat(timestamp)
    except ValueError:
        return "<invalid>"
    return duration((now - moment).total_seconds())


def duration(span_s: float) -> str:
    """Write a span of time with two units at most: 59s, 3m20s, 47h, 5d3h, 2y101d."""
    seconds = int(span_s)
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes, rest_s = divmod(seconds, 60)
    if minutes < 10:
        return f"{minutes}m{rest_s}s" if rest_s else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours, rest_m = divmod(minutes, 60)
    if hours < 8:
        return f"{hours}h{rest_m}m" if rest_m else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days, rest_h = divmod(hours, 24)
    if days < 8:
        return f"{days}d{rest_h}h" if rest_h else f"{days}d"
    if days < 730:
        return f"{days}d"
    years, rest_d = divmod(days, 365)
    return f"{years}y{rest_d}d" if rest_d and years < 8 else f"{years}y"


def pairs(labels: Mapping[str, str] | None) -> str:
    """Labels on one line: `a=1,b=2`."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def limited(entries: list[str], most: int = 3) -> str:
    """A few entries, and how many more there are."""
    if not entries:
        return NONE
    shown = ",".join(entries[:most])
    return f"{shown} + {len(entries) - most} more..." if len(entries) > most else shown
