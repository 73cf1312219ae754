"""
Watches: changes as a stream of JSON lines.

A watch starts with what is there (no resourceVersion, "0", or a watch-list) or right after a resourceVersion. What is
told is on disk. All that is ready when a watch has its turn is sent at once; a client that does not read is cut off,
as by a real server, and may come back with the last resourceVersion that it has seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bookmesh.kube.api import events, negotiation, option_rules, queries, selectors, statuses, verbs
from bookmesh.kube.schema import kinds
from bookmesh.kube.store import records, watching

_BOOKMARK_EVERY_S: Final = 60.0
_LONGEST_S: Final = 3600
_PIECE_BYTES: Final = 64 * 1024
_PATIENCE_S: Final = 10.0
"""How long a client may take to read a piece when all buffers between us are full."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """`since` None starts now; `marks_initial_end` is the watch-list of newer clients."""

    since: int | None
    sends_initial: bool
    has_bookmarks: bool
    marks_initial_end: bool
    timeout_s: int


def parse_options(request: web.Request) -> WatchOptions:
    """Read the query of a watch; raises 400 and 422."""
    query = request.query
    option_rules.check_watch(query)
    has_bookmarks = queries.is_true(query, "allowWatchBookmarks")
    is_watch_list = queries.is_true(query, "sendInitialEvents")
    since = queries.number(query, "resourceVersion") or None
    return WatchOptions(
        since=since,
        sends_initial=is_watch_list or (since is None and not query.get("sendInitialEvents")),
        has_bookmarks=has_bookmarks,
        marks_initial_end=is_watch_list and has_bookmarks,
        timeout_s=min(queries.number(query, "timeoutSeconds") or _LONGEST_S, _LONGEST_S),
    )


async def serve(
    request: web.Request,
    over: verbs.Verbs,
    kind: kinds.Kind,
    namespace: str,
    matches: selectors.Predicate | None,
    *,
    told: events.Events,
) -> web.StreamResponse:
    """Stream changes until the time is up, the client leaves, or the server stops; 410 when it starts too late."""
    options = parse_options(request)
    wanted = negotiation.choose(request.headers.get("Accept", ""))
    form = told.form(kind, wanted, include=option_rules.included(request.query))
    start = over.store.version
    if options.since is not None and options.since > start:
        raise statuses.expired(f"resource version {options.since} is not of this server (it is at {start})")
    initial = over.list(kind.resource, namespace, matches=matches) if options.sends_initial else ()
    since = start if options.sends_initial or options.since is None else options.since
    try:
        changes = over.store.watch(
            verbs.group_resource(kind), namespace if kind.namespaced else "", since=since
        )
    except records.Expired as error:
        raise statuses.expired(str(error)) from error
    try:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        served = _Served(over, changes, options, form=form, matches=matches, lines=_Lines(response))
        try:
            await served.begin(initial, start)
            await served.follow()
            await response.write_eof()
        except _UnreadError:
            if request.transport is not None:
                request.transport.abort()
        return response
    finally:
        changes.close()


class _UnreadError(Exception):
    """The client does not read what it asked for."""


class _Lines:
    """Gathers lines and sends them in pieces."""

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response
        self._gathered: list[bytes] = []
        self._bytes = 0

    async def add(self, line: bytes) -> None:
        """Add one line; a full piece is sent, and others have their turn."""
        self._gathered.append(line)
        self._bytes += len(line)
        if self._bytes >= _PIECE_BYTES:
            await self.send()
            await asyncio.sleep(0)

    async def send(self) -> None:
        """Send what there is; raises `_UnreadError` when the client does not read."""
        if not self._gathered:
            return
        piece, self._gathered, self._bytes = b"".join(self._gathered), [], 0
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._response.write(piece)
        except TimeoutError as error:
            raise _UnreadError from error


class _Served:
    """One watch that is being served."""

    def __init__(
        self,
        over: verbs.Verbs,
        changes: watching.Watch,
        options: WatchOptions,
        *,
        form: events.Form,
        matches: selectors.Predicate | None,
        lines: _Lines,
    ) -> None:
        self._store, self._changes, self._options = over.store, changes, options
        self._form, self._matches, self._lines = form, matches, lines
        self._is_first = True

    async def begin(self, initial: Sequence[records.Stored], version: int) -> None:
        """Tell what is there, as it was at `version`."""
        if initial or self._options.marks_initial_end:
            await self._store.until_on_disk(version)
        for stored in initial:
            await self._lines.add(self._form.state("ADDED", stored, is_first=self._is_first))
            self._is_first = False
        if self._options.marks_initial_end:
            await self._lines.add(self._form.bookmark(version, ends_initial=True))
        await self._lines.send()

    async def follow(self) -> None:
        """Tell changes, and bookmarks while nothing changes, until the watch's time is up."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._options.timeout_s
        bookmark_at = loop.time() + _BOOKMARK_EVERY_S
        while (now := loop.time()) < end and not self._changes.is_closed:
            if self._changes.has_more:
                try:
                    await self._tell_changes()
                except records.Expired as error:
                    await self._lines.add(events.error(statuses.expired(str(error))))
                    await self._lines.send()
                    return
            elif now >= bookmark_at:
                await self._tell_bookmark()
                bookmark_at = now + _BOOKMARK_EVERY_S
            else:
                timer = loop.call_at(min(end, bookmark_at), self._changes.wake)
                try:
                    await self._changes.ready()
                finally:
                    timer.cancel()
        if not self._changes.has_more and not self._changes.is_closed:
            await self._tell_bookmark()

    async def _tell_changes(self) -> None:
        """Tell what is ready; where nothing is on disk yet, wait until it is."""
        changes = self._changes.take(up_to=self._store.version_on_disk)
        if not changes:
            await self._store.until_on_disk()
        for change in changes:
            seen_as = events.transition(change, self._matches)
            if seen_as is not None:
                await self._lines.add(self._form.change(change, seen_as, is_first=self._is_first))
                self._is_first = False
        await self._lines.send()

    async def _tell_bookmark(self) -> None:
        """Tell how far the watch is; nothing up to there may be left to tell."""
        if self._options.has_bookmarks:
            version = self._store.version
            await self._store.until_on_disk(version)
            await self._lines.add(self._form.bookmark(version))
            await self._lines.send()
