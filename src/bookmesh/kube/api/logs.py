"""`GET pods/{name}/log`: what a container wrote, as plain text, followed while the client stays."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Mapping
from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import LogOptions, PodStreams
from bookmesh.kube.api import containers, queries, statuses
from bookmesh.kube.schema import causes

# A log that is followed may have nothing to say for long; headers are sent after this time without a refusal.
_QUIET_S: Final = 0.1
_LEAST: Final = {
    "sinceSeconds": (1, "must be greater than 0"),
    "tailLines": (0, "must be greater than or equal to 0"),
    "limitBytes": (1, "must be greater than 0"),
}


def parse_options(request: web.Request, pod: JsonObject) -> LogOptions:
    """Read the query of a log request; raises 400, and 422 for numbers and times that make no sense."""
    query = request.query
    numbers = _numbers(query)
    since_time = query.get("sinceTime") or None
    if since_time is not None:
        _check_time(since_time)
    wrong = [
        causes.invalid(key, numbers[key], why)
        for key, (least, why) in _LEAST.items()
        if key in numbers and numbers[key] < least
    ]
    if "sinceSeconds" in numbers and since_time is not None:
        wrong.append(causes.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    if wrong:
        raise statuses.invalid(group="", kind="PodLogOptions", name=pod["metadata"]["name"], causes=wrong)
    return LogOptions(
        container=containers.choose(pod, query.get("container", "")),
        follow=queries.is_true(query, "follow"),
        previous=queries.is_true(query, "previous"),
        timestamps=queries.is_true(query, "timestamps"),
        tail_lines=numbers.get("tailLines"),
        since_s=numbers.get("sinceSeconds"),
        since_time=since_time,
        limit_bytes=numbers.get("limitBytes"),
    )


def _numbers(query: Mapping[str, str]) -> dict[str, int]:
    """Those that are there; raises 400 for what is no number."""
    found = {}
    for key in _LEAST:
        if text := query.get(key, ""):
            try:
                found[key] = int(text)
            except ValueError as error:
                raise statuses.bad_request(f'{key}: parsing "{text}": invalid syntax') from error
    return found


def _check_time(text: str) -> None:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise statuses.bad_request(
            f'sinceTime: parsing time "{text}": it is not as RFC 3339 has it'
        ) from error


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
