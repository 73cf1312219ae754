"""Passing a request on to the server of an aggregated API, and its answer back, piece by piece while it lasts."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import web

from bookmesh.kube.api import authentication, service_network
from bookmesh.kube.api.aggregation import backends

_log = logging.getLogger(__name__)
_PLAIN: Final = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
_NOT_MODIFIED: Final = 304


async def forward(request: web.Request, backend: backends.Backend) -> web.StreamResponse:
    """Answer a request with what the server says; who sent it goes along."""
    if request.headers.get("Upgrade"):
        return refusal(501, "connections of aggregated APIs are not upgraded")
    body = await request.read() if request.can_read_body else None
    response: web.StreamResponse | None = None
    try:
        async with backend.request(
            request.method,
            request.raw_path,
            user=request[authentication.USER],
            headers=request.headers,
            body=body,
        ) as answer:
            if 300 <= answer.status < 400 and answer.status != _NOT_MODIFIED:
                return refusal(502, "the backend attempted to redirect this request, which is not permitted")
            response = web.StreamResponse(
                status=answer.status, reason=answer.reason, headers=backends.forwarded(answer.headers)
            )
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response
    except service_network.NoEndpointError:
        return refusal(503, "service unavailable")
    except backends.UnreachableError as error:
        if response is None or not response.prepared:
            return refusal(503, str(error))
        _log.warning("%s %s was cut off: %s", request.method, request.path, error)
        if request.transport is not None:  # nobody may take what has come for the whole
            request.transport.abort()
        return response


def refusal(code: int, why: str) -> web.Response:
    """A refusal in plain text, as a real aggregator's."""
    return web.Response(status=code, body=f"{why}\n".encode(), headers=_PLAIN)
