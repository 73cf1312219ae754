"""
The latest changes, from which every watch reads: what is in here is the only memory that watches need.

A change is kept once, however many follow. What was forgotten to make room cannot be read any more, and whoever would
have needed it is told so with `Expired`: a gap is never silent.
"""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Sequence

from bookmesh.kube.store.records import Change, Expired, GroupResource

# A parsed object takes about nine times the memory of its JSON; this keeps the whole history under some 150 MB.
_LARGEST_BYTES = 16 * 1024 * 1024


class History:
    """The latest changes of all resources, oldest first, bounded in number and in bytes."""

    def __init__(self, *, start: int, limit: int) -> None:
        """Begin empty at version `start`: changes up to and including it are unknown."""
        self._limit = limit
        self._start = start
        self._bytes = 0
        self._all: deque[Change] = deque()
        self._by_resource: dict[GroupResource, list[Change]] = {}
        self._forgotten: dict[GroupResource, int] = {}

    def append(self, change: Change) -> None:
        """Remember `change`; the oldest ones are forgotten to make room."""
        self._all.append(change)
        self._by_resource.setdefault(change.stored.group_resource, []).append(change)
        self._bytes += len(change.stored.raw)
        while len(self._all) > self._limit or (self._bytes > _LARGEST_BYTES and len(self._all) > 1):
            self._forget_oldest()

    def check(self, group_resource: GroupResource, version: int) -> None:
        """Raise `Expired` unless every change of a resource after `version` is known."""
        oldest = self._forgotten.get(group_resource, self._start)
        if version < oldest:
            raise Expired(version, oldest)

    def newest(self, group_resource: GroupResource) -> int:
        """The version of a resource's latest change; 0 when none is known."""
        known = self._by_resource.get(group_resource)
        return known[-1].stored.version if known else 0

    def since(
        self, group_resource: GroupResource, version: int, *, most_bytes: int | None = None
    ) -> Sequence[Change]:
        """
        Return the changes of one resource after `version`, oldest first.

        Args:
            most_bytes: stop when what is returned has that much JSON, but not before there is one; None for all.

        Raises:
            Expired: some of them have been forgotten.
        """
        self.check(group_resource, version)
        known = self._by_resource.get(group_resource, [])
        first = bisect.bisect_right(known, version, key=_version_of)
        end = len(known) if most_bytes is None else _end_of(known, first, most_bytes)
        return known[first:end]

    def _forget_oldest(self) -> None:
        oldest = self._all.popleft()
        group_resource = oldest.stored.group_resource
        del self._by_resource[group_resource][0]
        self._forgotten[group_resource] = oldest.stored.version
        self._bytes -= len(oldest.stored.raw)


def _version_of(change: Change) -> int:
    return change.stored.version


def _end_of(known: Sequence[Change], first: int, most_bytes: int) -> int:
    """Where a part of `known` ends that begins at `first` and has about `most_bytes` of JSON."""
    end = first
    while end < len(known) and most_bytes > 0:
        most_bytes -= len(known[end].stored.raw)
        end += 1
    return end
