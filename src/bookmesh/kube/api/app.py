"""
The web application: every request is checked for its origin, authenticated, routed, and answered or refused in kind.

Refusals of any sort leave as `Status` objects; a defect of ours is a 500 with its traceback in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.base.pods import PodStreams
from bookmesh.kube.api import (
    acting,
    authentication,
    authorization,
    decoding,
    discovery,
    faults,
    openapi,
    paths,
    questions,
    resources,
    responses,
    reviews,
    statuses,
    tokens,
    verbs,
    versions,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOG = logging.getLogger(__name__)
_LARGEST_BODY: Final = 3 << 20
_FOR_EVER: Final = {"Cache-Control": "public, immutable", "Expires": "Fri, 31 Dec 2099 23:59:59 GMT"}


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
) -> web.Application:
    """
    Build the application; run it with `serving.start`.

    Args:
        authorizer: who decides what a user may do; without one every authenticated user may do everything.
        extra_routes: further paths (aiohttp patterns), for any method, behind the same checks.
        hosts: names and addresses, besides those of this machine, by which clients may call the server.
        dial: faults that strike requests on demand.
    """
    allowed = frozenset({*authentication.LOCAL_HOSTS, *(host.lower() for host in hosts)})
    app = web.Application(
        client_max_size=_LARGEST_BODY,
        middlewares=[
            _refusals,
            _checks(authenticator, authorizer, allowed),
            _striking(dial or faults.Faults()),
        ],
    )
    root = _Root(over)
    for path in ("/healthz", "/livez", "/readyz"):
        app.router.add_get(path, _healthy)
        app.router.add_get(path + "/{check:.*}", _healthy)
    for path, handler in (extra_routes or {}).items():
        app.router.add_route("*", path, handler)
    for path, answer in (
        ("/", root.index),
        ("/version", root.version),
        ("/api", root.discovery),
        ("/apis", root.discovery),
        ("/openapi/v2", root.openapi_v2),
        ("/openapi/v3", root.openapi_v3),
        ("/openapi/v3/api/{version}", root.openapi_v3_document),
        ("/openapi/v3/apis/{group}/{version}", root.openapi_v3_document),
        ("/api/{version}", root.resource_list),
        ("/apis/{group}", root.group),
        ("/apis/{group}/{version}", root.resource_list),
    ):
        app.router.add_get(path, answer)
        if path != "/":
            app.router.add_get(path + "/", answer)
    _add_reviews(app.router, over, reviews.Reviews(authorizer, authenticator.user_of_token))
    objects = resources.Resources(over, streams=streams, issuer=issuer, authorizer=authorizer)
    running: set[asyncio.Task[object]] = set()

    async def handle(request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is handled outside of a task")
        running.add(task)
        try:
            return await objects.handle(request, paths.parse(request.rel_url.raw_path))
        finally:
            running.discard(task)

    async def end_streams(_: web.Application) -> None:
        """Watches and streams would go on for ever; a stopping server ends them."""
        for task in running:
            task.cancel()

    app.router.add_route("*", "/{path:.*}", handle)
    app.on_shutdown.append(end_streams)
    return app


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


def _checks(
    authenticator: authentication.Authenticator,
    authorizer: authorization.Authorizer | None,
    hosts: frozenset[str],
) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        authentication.check_origin(request, hosts)
        user = authenticator.authenticate(request)
        if authorizer is not None:
            user = acting.impersonated(request, user, authorizer)
            authorizer.require(user, acting.action_of(request))
        request[authentication.USER] = user
        return await handler(request)

    return check


def _striking(dial: faults.Faults) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        if dial.all():
            await dial.strike(acting.action_of(request))
        return await handler(request)

    return strike


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="ok")


class _Root:
    """What is not about objects: version, discovery, OpenAPI."""

    def __init__(self, over: verbs.Verbs) -> None:
        self._verbs = over
        self._documents = openapi.Documents(over.kinds, over.schemas, version=versions.GIT_VERSION)
        self._revision = -1
        self._groups: discovery.Groups = {}

    def _discovered(self) -> discovery.Groups:
        if self._revision != self._verbs.custom.revision:
            self._groups = discovery.grouped(self._verbs.kinds.all())
            self._revision = self._verbs.custom.revision
        return self._groups

    async def index(self, request: web.Request) -> web.Response:
        known = ["/api", "/api/v1", "/apis"]
        known += [
            f"/apis/{group}/{version}"
            for group, found in self._discovered().items()
            if group
            for version in found
        ]
        known += ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        return responses.json_response({"paths": known})

    async def version(self, request: web.Request) -> web.Response:
        return responses.json_response(versions.version_document())

    async def discovery(self, request: web.Request) -> web.Response:
        is_core = request.path.rstrip("/") == "/api"
        groups = self._discovered()
        wanted = discovery.wanted_version(request.headers.get("Accept", ""))
        if wanted:
            body, tag = discovery.aggregated(groups, wanted, is_core=is_core)
            headers = {"ETag": tag, "Vary": "Accept"}
            if request.headers.get("If-None-Match") == tag:
                return web.Response(status=304, headers=headers)
            return responses.json_response(body, headers=headers, content_type=discovery.content_type(wanted))
        legacy = discovery.core_versions(request.host) if is_core else discovery.group_list(groups)
        return responses.json_response(legacy)

    async def group(self, request: web.Request) -> web.Response:
        return _found(discovery.group_document(self._discovered(), request.match_info["group"]))

    async def resource_list(self, request: web.Request) -> web.Response:
        group, version = request.match_info.get("group", ""), request.match_info["version"]
        return _found(discovery.resource_list(self._discovered(), group, version))

    async def openapi_v2(self, request: web.Request) -> web.Response:
        return responses.json_response(openapi.v2_stub(versions.GIT_VERSION), content_type=openapi.V2_TYPE)

    async def openapi_v3(self, request: web.Request) -> web.Response:
        return responses.json_response(self._documents.index(self._verbs.custom.revision))

    async def openapi_v3_document(self, request: web.Request) -> web.Response:
        group, version = request.match_info.get("group", ""), request.match_info["version"]
        document = self._documents.document(group, version, self._verbs.custom.revision)
        response = _found(document)
        if "hash" in request.query:
            response.headers.update(_FOR_EVER)
        return response


def _found(document: object | None) -> web.Response:
    if document is None:
        raise statuses.no_such_resource()
    return responses.json_response(document)


def _add_reviews(router: web.UrlDispatcher, over: verbs.Verbs, answers: reviews.Reviews) -> None:
    async def body_of(request: web.Request) -> JsonObject:
        body = decoding.decode_body(await request.read(), request.headers.get("Content-Type", ""))
        asked = paths.parse(request.rel_url.raw_path).resource
        if asked is None:
            raise statuses.no_such_resource()
        return questions.decode(over.schemas, over.kind_of(asked), body)

    async def self_access(request: web.Request) -> web.Response:
        answer = answers.self_access(await body_of(request), request[authentication.USER])
        return responses.json_response(answer, code=201)

    async def access(request: web.Request) -> web.Response:
        namespace = request.match_info.get("namespace", "")
        return responses.json_response(answers.access(await body_of(request), namespace=namespace), code=201)

    async def rules(request: web.Request) -> web.Response:
        answer = answers.rules(await body_of(request), request[authentication.USER])
        return responses.json_response(answer, code=201)

    async def subject(request: web.Request) -> web.Response:
        await body_of(request)
        return responses.json_response(answers.subject(request[authentication.USER]), code=201)

    async def token(request: web.Request) -> web.Response:
        return responses.json_response(answers.token(await body_of(request)), code=201)

    authorization_path, authentication_path = (
        "/apis/authorization.k8s.io/v1",
        "/apis/authentication.k8s.io/v1",
    )
    for path, answer in (
        (f"{authorization_path}/selfsubjectaccessreviews", self_access),
        (f"{authorization_path}/selfsubjectrulesreviews", rules),
        (f"{authorization_path}/subjectaccessreviews", access),
        (f"{authorization_path}/namespaces/{{namespace}}/localsubjectaccessreviews", access),
        (f"{authentication_path}/selfsubjectreviews", subject),
        (f"{authentication_path}/tokenreviews", token),
    ):
        router.add_post(path, answer)
