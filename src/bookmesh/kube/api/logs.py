"""`GET pods/{name}/log`: what a container wrote, as plain text, followed while the client stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import LogOptions, PodStreams
from bookmesh.kube.api import containers, queries, statuses

# A log that is followed may have nothing to say for long; headers are sent after this time without a refusal.
_QUIET_S: Final = 0.1


def parse_options(request: web.Request, pod: JsonObject) -> LogOptions:
    """Read the query of a log request; raises 400."""
    query = request.query
    since_s = queries.number(query, "sinceSeconds")
    since_time = query.get("sinceTime") or None
    if since_s is not None and since_time is not None:
        raise statuses.bad_request("at most one of sinceTime or sinceSeconds may be specified")
    return LogOptions(
        container=containers.choose(pod, query.get("container", "")),
        follow=queries.is_true(query, "follow"),
        previous=queries.is_true(query, "previous"),
        timestamps=queries.is_true(query, "timestamps"),
        tail_lines=queries.number(query, "tailLines"),
        since_s=since_s,
        since_time=since_time,
        limit_bytes=queries.number(query, "limitBytes"),
    )


async def serve(request: web.Request, pod: JsonObject, streams: PodStreams) -> web.StreamResponse:
    """Stream the log; a refusal that comes at once is a `Status`, a later one ends the text."""
    chunks = streams.logs(pod, parse_options(request, pod))
    first = asyncio.ensure_future(_next(chunks))
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    try:
        await asyncio.wait({first}, timeout=_QUIET_S)
        if first.done():
            first.result()
        response.enable_chunked_encoding()
        await response.prepare(request)
        chunk = await first
        while chunk is not None:
            await response.write(chunk)
            chunk = await _next(chunks)
    except ApiError as error:
        if not response.prepared:
            raise
        await response.write(f"{error.message}\n".encode())
    finally:
        await _close(first, chunks)
    await response.write_eof()
    return response


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    """The next chunk; None at the end."""
    return await anext(chunks, None)


async def _close(pending: asyncio.Future[bytes | None], chunks: AsyncIterator[bytes]) -> None:
    """End the iteration, also when it is in the middle of waiting for the first chunk."""
    if not pending.done():
        pending.cancel()
        await asyncio.wait({pending})
    close = getattr(chunks, "aclose", None)
    if close is not None:
        await close()
