"""
The store: get, list, create, update, delete, watch.

One counter gives every write its resourceVersion. A write is committed first, then becomes visible, then subscribers
hear of it, then watchers; when the commit fails nothing has changed. A commit outlives this process; whoever tells
others of it waits until it also outlives the machine (`until_on_disk`). Not thread-safe: everything happens on the
event-loop thread.
"""

from __future__ import annotations

import bisect
import builtins
from collections import deque
from collections.abc import Callable
from pathlib import Path

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.store.history import History
from bookmesh.kube.store.journal import Journal
from bookmesh.kube.store.records import (
    AlreadyExists,
    Change,
    ChangeType,
    GroupResource,
    Missing,
    Stored,
    VersionMismatch,
)
from bookmesh.kube.store.syncing import Syncing
from bookmesh.kube.store.watching import Watch

__all__ = ["Store", "Watch"]

_Key = tuple[str, str]


class _Table:
    """The objects of one resource by (namespace, name); the keys are sorted for the first list, and kept so."""

    def __init__(self) -> None:
        self.objects: dict[_Key, Stored] = {}
        self._sorted: list[_Key] | None = None

    def put(self, stored: Stored) -> None:
        key = (stored.namespace, stored.name)
        if self._sorted is not None and key not in self.objects:
            bisect.insort(self._sorted, key)
        self.objects[key] = stored

    def remove(self, key: _Key) -> None:
        del self.objects[key]
        if self._sorted is not None:
            del self._sorted[bisect.bisect_left(self._sorted, key)]

    def list(self, namespace: str) -> builtins.list[Stored]:
        if self._sorted is None:
            self._sorted = sorted(self.objects)
        keys = self._sorted
        if namespace:
            start = bisect.bisect_left(keys, (namespace, ""))
            keys = keys[start : bisect.bisect_left(keys, (namespace + "\0", ""))]
        return [self.objects[key] for key in keys]


class Store:
    """Versioned objects in memory, with every write in a file. Make one with `Store.open`."""

    def __init__(self, journal: Journal | None, *, history: int) -> None:
        self._journal = journal
        self._tables: dict[GroupResource, _Table] = {}
        self.version = journal.version() if journal else 0
        for group_resource, namespace, name, version, raw in journal.rows() if journal else ():
            stored = Stored(group_resource, namespace, name, orjson.loads(raw), raw, version)
            self._table(group_resource).put(stored)
        self._syncing = Syncing(journal.sync, newest=lambda: self.version) if journal else None
        self._history = History(start=self.version, limit=history)
        self._watches: dict[GroupResource, list[Watch]] = {}
        self._subscribers: list[Callable[[Change], None]] = []
        self._unpublished: deque[Change] = deque()
        self._publishing = False

    @classmethod
    def open(cls, path: Path | None, *, history: int = 10_000) -> Store:
        """
        Open the store in file `path` and load it; None keeps everything in memory.

        Watches can reach back over the last `history` changes, and never to before this call.

        Raises:
            StoreUnusable: another process has the file open, or it is not a store of this format.
        """
        return cls(Journal(path) if path else None, history=history)

    @property
    def version_on_disk(self) -> int:
        """Everything up to this version survives a power failure, as far as is known."""
        return self._syncing.version if self._syncing else self.version

    async def until_on_disk(self, version: int | None = None) -> None:
        """
        Wait until everything up to `version` (None for now's) survives a power failure; all who wait share the cost.

        Raises:
            StoreUnusable: the disk has failed. No write is accepted any more.
        """
        if self._syncing:
            await self._syncing.reach(self.version if version is None else version)

    def get(self, group_resource: GroupResource, namespace: str, name: str) -> Stored | None:
        """Look one object up; `namespace` is "" for cluster-scoped ones."""
        table = self._tables.get(group_resource)
        return table.objects.get((namespace, name)) if table else None

    def list(self, group_resource: GroupResource, namespace: str = "") -> builtins.list[Stored]:
        """Return the objects of one namespace ("" for all) in (namespace, name) order."""
        table = self._tables.get(group_resource)
        return table.list(namespace) if table else []

    def list_at(
        self, group_resource: GroupResource, namespace: str = "", *, version: int
    ) -> builtins.list[Stored]:
        """
        Return the objects as they were right after the write of `version`, in (namespace, name) order.

        Raises:
            Expired: changes since then have been forgotten.
        """
        changes = self._history.since(group_resource, version)
        found = self.list(group_resource, namespace)
        if not changes:
            return found
        objects = {(each.namespace, each.name): each for each in found}
        for change in reversed(changes):
            if namespace not in ("", change.stored.namespace):
                continue
            key = (change.stored.namespace, change.stored.name)
            if change.previous is None:
                objects.pop(key, None)
            else:
                objects[key] = change.previous
        return [objects[key] for key in sorted(objects)]

    def create(self, group_resource: GroupResource, namespace: str, name: str, obj: JsonObject) -> Stored:
        """
        Add an object. Its `metadata.resourceVersion` is set in a copy of `metadata`; the rest of `obj` becomes the
        store's and must not be mutated afterwards.

        Raises:
            AlreadyExists: with the object that is there.
        """
        existing = self.get(group_resource, namespace, name)
        if existing:
            raise AlreadyExists(existing)
        return self._put(group_resource, namespace, name, obj=obj, previous=None)

    def update(
        self,
        group_resource: GroupResource,
        namespace: str,
        name: str,
        obj: JsonObject,
        *,
        expected: int | None = None,
    ) -> Stored:
        """
        Replace an object, only if it is still at version `expected` when that is given.

        Raises:
            Missing, VersionMismatch.
            StoreUnusable: the disk has failed (any write may raise it).
        """
        previous = self._existing(group_resource, namespace, name, expected=expected)
        return self._put(group_resource, namespace, name, obj=obj, previous=previous)

    def delete(
        self, group_resource: GroupResource, namespace: str, name: str, *, expected: int | None = None
    ) -> Stored:
        """
        Remove an object and return its last state, which carries the version of the deletion.

        Raises:
            Missing, VersionMismatch.
        """
        previous = self._existing(group_resource, namespace, name, expected=expected)
        last = _stored(group_resource, namespace, name, obj=previous.object, version=self.version + 1)
        if journal := self._writable_journal():
            journal.remove(group_resource, namespace, name, version=last.version)
        self.version = last.version
        self._table(group_resource).remove((namespace, name))
        self._publish("DELETED", last, previous)
        return last

    def watch(self, group_resource: GroupResource, namespace: str = "", *, since: int) -> Watch:
        """
        Follow the changes of one resource after version `since`: those that happened already, then new ones.

        Raises:
            Expired: changes after `since` have been forgotten. The iteration raises it too, when its consumer is
                further behind than the history is long.
        """
        self._history.check(group_resource, since)
        watch = Watch(group_resource, namespace, since=since, history=self._history, forget=self._forget)
        self._watches.setdefault(group_resource, []).append(watch)
        return watch

    def subscribe(self, callback: Callable[[Change], None]) -> None:
        """
        Call `callback` within every later write, after its commit and before watchers.

        A callback may write; that change is published after the current one. The first exception that callbacks
        raise reaches the writer, although the write is done and everybody else has heard of it.
        """
        self._subscribers.append(callback)

    def close(self) -> None:
        """End all watches and close the file. May be called twice."""
        for watches in list(self._watches.values()):
            for watch in list(watches):
                watch.close()
        if self._journal and self._syncing:
            self._syncing.close()
            self._journal.close()

    def _writable_journal(self) -> Journal | None:
        if self._syncing:
            self._syncing.check()
        return self._journal

    def _table(self, group_resource: GroupResource) -> _Table:
        return self._tables.setdefault(group_resource, _Table())

    def _existing(
        self, group_resource: GroupResource, namespace: str, name: str, *, expected: int | None
    ) -> Stored:
        stored = self.get(group_resource, namespace, name)
        if stored is None:
            raise Missing(group_resource, namespace, name)
        if expected is not None and stored.version != expected:
            raise VersionMismatch(stored, expected)
        return stored

    def _put(
        self,
        group_resource: GroupResource,
        namespace: str,
        name: str,
        *,
        obj: JsonObject,
        previous: Stored | None,
    ) -> Stored:
        stored = _stored(group_resource, namespace, name, obj=obj, version=self.version + 1)
        if journal := self._writable_journal():
            journal.put(group_resource, namespace, name, version=stored.version, raw=stored.raw)
        self.version = stored.version
        self._table(group_resource).put(stored)
        self._publish("MODIFIED" if previous else "ADDED", stored, previous)
        return stored

    def _publish(self, change_type: ChangeType, stored: Stored, previous: Stored | None) -> None:
        change = Change(change_type, stored, previous)
        self._history.append(change)
        self._unpublished.append(change)
        if self._publishing:  # a subscriber wrote: the outer call goes on with it, so that order holds
            return
        self._publishing = True
        failures: builtins.list[Exception] = []
        while self._unpublished:
            change = self._unpublished.popleft()
            failures += self._deliver(change)
        self._publishing = False
        if failures:
            raise failures[0]

    def _deliver(self, change: Change) -> builtins.list[Exception]:
        failures: builtins.list[Exception] = []
        for subscriber in self._subscribers:
            try:
                subscriber(change)
            except Exception as error:  # raised by _publish, after everybody has heard of the write
                failures.append(error)
        for watch in tuple(self._watches.get(change.stored.group_resource, ())):
            watch.offer(change)
        return failures

    def _forget(self, watch: Watch) -> None:
        watches = self._watches.get(watch.group_resource, [])
        if watch in watches:
            watches.remove(watch)


def _stored(
    group_resource: GroupResource, namespace: str, name: str, *, obj: JsonObject, version: int
) -> Stored:
    metadata = {**obj.get("metadata", {}), "resourceVersion": str(version)}
    own = {**obj, "metadata": metadata}
    return Stored(group_resource, namespace, name, own, orjson.dumps(own), version)
