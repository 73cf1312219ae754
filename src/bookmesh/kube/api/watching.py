"""
Watches: changes as a stream of JSON lines.

A watch starts with what is there (no resourceVersion, "0", or a watch-list) or right after a resourceVersion. With a
selector an object that begins to match is ADDED and one that no longer does is DELETED, whatever happened to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import web

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import negotiation, queries, responses, selectors, statuses, verbs
from bookmesh.kube.api.tables import printers
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.store import records

_BOOKMARK_EVERY_S: Final = 60.0
_LONGEST_S: Final = 3600
_INITIAL_END: Final = {"k8s.io/initial-events-end": "true"}


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """`since` None starts with what is there; `marks_initial_end` is the watch-list of newer clients."""

    since: int | None
    marks_initial_end: bool
    has_bookmarks: bool
    timeout_s: int


def parse_options(request: web.Request) -> WatchOptions:
    """Read the query of a watch; raises 400."""
    query = request.query
    is_watch_list = queries.is_true(query, "sendInitialEvents")
    version = queries.number(query, "resourceVersion") or None
    return WatchOptions(
        since=None if is_watch_list else version,
        marks_initial_end=is_watch_list,
        has_bookmarks=queries.is_true(query, "allowWatchBookmarks"),
        timeout_s=min(queries.number(query, "timeoutSeconds") or _LONGEST_S, _LONGEST_S),
    )


class Encoder:
    """Encodes events of one watch; remembers whether the column definitions of a table were sent."""

    def __init__(
        self, kind: kinds_module.Kind, wanted: negotiation.Representation, *, include: str, over: verbs.Verbs
    ) -> None:
        self._kind, self._wanted, self._include, self._clock = kind, wanted, include, over.clock
        self._is_first = True

    def event(self, change_type: str, stored: records.Stored) -> bytes:
        """Encode one change."""
        if self._wanted.form == "object":
            return _line(change_type, responses.object_bytes(self._kind, stored))
        obj = verbs.present(self._kind, stored.object)
        if self._wanted.form == "metadata":
            return _line(change_type, orjson.dumps(printers.partial_metadata(obj, self._wanted.version)))
        table = printers.build_table(
            self._kind,
            [obj],
            metadata={"resourceVersion": obj["metadata"]["resourceVersion"]},
            now=self._clock(),
            version=self._wanted.version,
            include=self._include,
            is_first=self._is_first,
        )
        self._is_first = False
        return _line(change_type, orjson.dumps(table))

    def bookmark(self, version: int, *, ends_initial: bool = False) -> bytes:
        """Encode a resourceVersion from which the watch could be taken up again."""
        fields: JsonObject = {"resourceVersion": str(version), "creationTimestamp": None}
        if ends_initial:
            fields["annotations"] = _INITIAL_END
        mark: JsonObject = {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": fields}
        if self._wanted.form == "object":
            return _line("BOOKMARK", orjson.dumps(mark))
        partial = printers.partial_metadata(mark, self._wanted.version)
        if self._wanted.form == "metadata":
            return _line("BOOKMARK", orjson.dumps(partial))
        table = {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{self._wanted.version}",
            "metadata": {"resourceVersion": str(version)},
            "columnDefinitions": None,
            "rows": [{"cells": [], "object": partial}] if ends_initial else [],
        }
        return _line("BOOKMARK", orjson.dumps(table))


def _line(change_type: str, encoded: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (change_type.encode(), encoded)


def error_line(error: ApiError) -> bytes:
    """Encode the event that ends a watch which cannot go on."""
    return _line("ERROR", orjson.dumps(error.status()))


def selected(
    change: records.Change, matches: selectors.Predicate | None
) -> tuple[str, records.Stored] | None:
    """
    What a change is to those who see only matching objects.

    Returns:
        The event type and the state to show; None when they see nothing of it. An object that stops matching is
        shown as it was, with the new resourceVersion.
    """
    if matches is None:
        return change.type, change.stored
    is_in = matches(change.stored.object)
    was_in = change.previous is not None and matches(change.previous.object)
    if change.type == "DELETED":
        return ("DELETED", change.stored) if is_in or was_in else None
    if is_in:
        return ("MODIFIED" if was_in else "ADDED"), change.stored
    if not was_in or change.previous is None:
        return None
    fields = {**change.previous.object["metadata"], "resourceVersion": str(change.stored.version)}
    last = {**change.previous.object, "metadata": fields}
    before = change.previous
    shown = records.Stored(
        before.group_resource, before.namespace, before.name, last, orjson.dumps(last), change.stored.version
    )
    return "DELETED", shown


async def serve(
    request: web.Request,
    over: verbs.Verbs,
    kind: kinds_module.Kind,
    namespace: str,
    matches: selectors.Predicate | None,
) -> web.StreamResponse:
    """Stream changes until the time is up, the client leaves, or the server stops; 410 when it starts too late."""
    options = parse_options(request)
    wanted = negotiation.choose(request.headers.get("Accept", ""))
    encoder = Encoder(kind, wanted, include=request.query.get("includeObject", "Metadata"), over=over)
    start = over.store.version
    if options.since is not None and options.since > start:
        raise statuses.expired(f"resource version {options.since} is not of this server (it is at {start})")
    initial = over.list(kind.resource, namespace, matches=matches) if options.since is None else ()
    try:
        changes = over.store.watch(
            verbs.group_resource(kind),
            namespace if kind.namespaced else "",
            since=start if options.since is None else options.since,
        )
    except records.Expired as error:
        raise statuses.expired(str(error)) from error
    try:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for stored in initial:
            await response.write(encoder.event("ADDED", stored))
        if options.marks_initial_end:
            await response.write(encoder.bookmark(start, ends_initial=True))
        async for line in _follow(changes, over, encoder, options, matches):
            await response.write(line)
        await response.write_eof()
        return response
    finally:
        changes.close()


async def _follow(
    changes: AsyncIterator[records.Change],
    over: verbs.Verbs,
    encoder: Encoder,
    options: WatchOptions,
    matches: selectors.Predicate | None,
) -> AsyncIterator[bytes]:
    """Yield encoded changes, and bookmarks while nothing changes, until the watch's time is up."""
    loop = asyncio.get_running_loop()
    end = loop.time() + options.timeout_s
    while True:
        wait_s = min(end - loop.time(), _BOOKMARK_EVERY_S)
        # Only what was current before the wait is safe to bookmark: a change may arrive as the wait ends.
        version = over.store.version
        try:
            async with asyncio.timeout(wait_s):
                change = await anext(changes)
        except TimeoutError:
            if options.has_bookmarks:
                yield encoder.bookmark(version)
            if loop.time() >= end:
                return
            continue
        except StopAsyncIteration:
            return
        except records.Expired as error:
            yield error_line(statuses.expired(str(error)))
            return
        shown = selected(change, matches)
        if shown is not None:
            yield encoder.event(*shown)
