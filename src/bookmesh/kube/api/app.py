"""
The web application: every request is checked for its origin, authenticated, routed, and answered or refused in kind.

Refusals of any sort leave as `Status` objects; a defect of ours is a 500 with its traceback in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import ApiError
from bookmesh.base.pods import PodStreams
from bookmesh.kube.api import (
    acting,
    auditing,
    authentication,
    authorization,
    faults,
    notes,
    paths,
    resources,
    responses,
    reviewing,
    reviews,
    root,
    statuses,
    tokens,
    verbs,
)
from bookmesh.kube.api.aggregation import aggregator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOG = logging.getLogger(__name__)
_LARGEST_BODY: Final = 3 << 20


def build_app(
    over: verbs.Verbs,
    *,
    streams: PodStreams,
    authenticator: authentication.Authenticator,
    authorizer: authorization.Authorizer | None = None,
    extra_routes: Mapping[str, Handler] | None = None,
    issuer: tokens.TokenIssuer | None = None,
    hosts: Collection[str] = (),
    dial: faults.Faults | None = None,
    identity: Path | None = None,
    auditor: auditing.Auditor | None = None,
) -> web.Application:
    """
    Build the application; run it with `serving.start`.

    Args:
        authorizer: who decides what a user may do; without one every authenticated user may do everything.
        extra_routes: further paths (aiohttp patterns), for any method, behind the same checks.
        hosts: names and addresses, besides those of this machine, by which clients may call the server.
        dial: faults that strike requests on demand.
        identity: PEM file with the client certificate and key by which servers of aggregated APIs know this one.
        auditor: who writes down what is asked and answered.
    """
    allowed = frozenset({*authentication.LOCAL_HOSTS, *(host.lower() for host in hosts)})
    running = _Running()
    aggregated = aggregator.Aggregator(over, identity=identity)
    app = web.Application(
        client_max_size=_LARGEST_BODY,
        middlewares=[
            _refusals,
            _knowing(authenticator, allowed),
            *([auditor.watch, _refusals] if auditor else []),
            *([_allowing(authorizer)] if authorizer else []),
            _striking(dial or faults.Faults()),
            running.track,
            _aggregating(aggregated),
        ],
    )
    for path in ("/healthz", "/livez", "/readyz"):
        app.router.add_get(path, _healthy)
        app.router.add_get(path + "/{check:.*}", _healthy)
    for path, handler in (extra_routes or {}).items():
        app.router.add_route("*", path, handler)
    root.Root(over, aggregated).add_routes(app.router)
    answers = reviews.Reviews(authorizer, authenticator.user_of_token)
    reviewing.Reviewing(over, answers).add_routes(app.router)
    objects = resources.Resources(over, streams=streams, issuer=issuer, authorizer=authorizer)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await objects.handle(request, paths.parse(request.rel_url.raw_path))

    app.router.add_route("*", "/{path:.*}", handle)
    app.cleanup_ctx.append(aggregated.run)
    app.on_shutdown.append(running.end)
    if auditor:
        app.on_response_prepare.append(auditor.on_prepare)
    return app


class _Running:
    """Knows which requests are being answered."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    @web.middleware
    async def track(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is handled outside of a task")
        self._tasks.add(task)
        try:
            return await handler(request)
        finally:
            self._tasks.discard(task)

    async def end(self, _: web.Application) -> None:
        """Watches and streams would go on for ever; a stopping server ends them."""
        for task in self._tasks:
            task.cancel()


def _aggregating(aggregated: aggregator.Aggregator) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def pass_on(request: web.Request, handler: Handler) -> web.StreamResponse:
        registration = aggregated.answering(request)
        if registration is None:
            return await handler(request)
        return await aggregated.forward(request, registration)

    return pass_on


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised into a `Status`."""
    try:
        return await handler(request)
    except ApiError as error:
        return responses.error_response(error)
    except web.HTTPRequestEntityTooLarge:
        message = f"Request entity too large: limit is {_LARGEST_BODY}"
        return responses.error_response(ApiError(413, "RequestEntityTooLarge", message))
    except web.HTTPMethodNotAllowed:
        return responses.error_response(statuses.method_not_allowed())
    except web.HTTPNotFound:
        return responses.error_response(statuses.no_such_resource())
    except (web.HTTPException, ConnectionResetError):
        raise
    except Exception as error:
        _LOG.exception("%s %s failed", request.method, request.path)
        message = f"Internal error occurred: {type(error).__name__}: {error}"
        return responses.error_response(ApiError(500, "InternalError", message))


def _knowing(
    authenticator: authentication.Authenticator, hosts: frozenset[str]
) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def know(request: web.Request, handler: Handler) -> web.StreamResponse:
        authentication.check_origin(request, hosts)
        request[authentication.USER] = authenticator.authenticate(request)
        return await handler(request)

    return know


def _allowing(authorizer: authorization.Authorizer) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def allow(request: web.Request, handler: Handler) -> web.StreamResponse:
        known = request[authentication.USER]
        user = acting.impersonated(request, known, authorizer)
        if user is not known:
            request[authentication.USER] = request[auditing.IMPERSONATED] = user
        action = acting.action_of(request)
        decision = authorizer.decide(user, action)
        notes.note("authorization.k8s.io/decision", "allow" if decision.is_allowed else "forbid")
        notes.note("authorization.k8s.io/reason", decision.reason)
        if not decision.is_allowed:
            raise authorization.forbidden(user, action)
        return await handler(request)

    return allow


def _striking(dial: faults.Faults) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        if dial.all():
            await dial.strike(acting.action_of(request))
        return await handler(request)

    return strike


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="ok")
