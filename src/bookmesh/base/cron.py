"""Schedules of CronJobs: five fields (minute, hour, day of month, month, day of week), or a word such as `@daily`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

_WORDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_BOUNDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FARTHEST: Final = timedelta(days=366 * 5)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The minutes, hours, days, months and weekdays (0 Sunday) at which something is due."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_any_day: bool
    is_any_weekday: bool

    def _is_day(self, moment: datetime) -> bool:
        on_day = moment.day in self.days
        on_weekday = moment.isoweekday() % 7 in self.weekdays
        if self.is_any_day or self.is_any_weekday:
            return on_day and on_weekday
        return on_day or on_weekday  # both are given: either will do

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """The first time after a moment, in UTC; None when there is none within five years."""
        local = moment.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None) + timedelta(minutes=1)
        end = local + _FARTHEST
        while local < end:
            if local.month not in self.months or not self._is_day(local):
                local = local.replace(hour=0, minute=0) + timedelta(days=1)
            elif local.hour not in self.hours:
                local = local.replace(minute=0) + timedelta(hours=1)
            elif local.minute not in self.minutes:
                local += timedelta(minutes=1)
            else:
                return local.replace(tzinfo=zone).astimezone(moment.tzinfo)
        return None


def parse(text: str) -> Schedule:
    """
    Read a schedule.

    Raises:
        ValueError: it is none.
    """
    fields = _WORDS.get(text.strip().lower(), text).lower().split()
    if len(fields) != 5:
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{text}]")
    names = ((), (), (), _MONTHS, _DAYS)
    found = [
        _field(field, bounds, known) for field, bounds, known in zip(fields, _BOUNDS, names, strict=True)
    ]
    weekdays = frozenset(day % 7 for day in found[4])
    return Schedule(
        found[0], found[1], found[2], found[3], weekdays, fields[2][0] in "*?", fields[4][0] in "*?"
    )


def _field(text: str, bounds: tuple[int, int], names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        step = _number(step_text, (1, bounds[1] + 1), ()) if step_text else 1
        if span in ("*", "?"):
            first, last = bounds
        else:
            begin, _, end = span.partition("-")
            first = _number(begin, bounds, names)
            last = _number(end, bounds, names) if end else (bounds[1] if step_text else first)
        if last < first:
            raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {text}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, bounds: tuple[int, int], names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + bounds[0]
    if not text.isdecimal():
        raise ValueError(f"failed to parse number: {text}")
    number = int(text)
    if not bounds[0] <= number <= bounds[1]:
        raise ValueError(f"{number} is not between {bounds[0]} and {bounds[1]}")
    return number
