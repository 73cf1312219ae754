"""Requests on resources: which verb a method on a path is, and its answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from multidict import MultiMapping

from bookmesh.base.kubernetes import ApiError, JsonObject, PatchType
from bookmesh.base.pods import PodStreams
from bookmesh.kube.api import (
    authentication,
    authorization,
    decoding,
    deleting,
    events,
    evicting,
    granting,
    option_rules,
    paging,
    parts,
    paths,
    pod_streams,
    queries,
    questions,
    responses,
    scaling,
    selectors,
    statuses,
    tokens,
    verbs,
    watching,
    writing,
)
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.store import records

# Key of a response: the version up to which it tells; without one it may tell of everything there is.
_TOLD: Final = web.ResponseKey("told", int)
# Kinds whose deletion is answered with the object, also when it is gone at once; clients with types rely on it.
_SHOWN_WHEN_GONE: Final = frozenset(
    {
        ("", "persistentvolumeclaims"),
        ("", "persistentvolumes"),
        ("", "pods"),
        ("", "podtemplates"),
        ("", "resourcequotas"),
        ("", "serviceaccounts"),
        ("", "services"),
        ("storage.k8s.io", "storageclasses"),
    }
)


class Resources:
    """The handler of every path that names objects."""

    def __init__(
        self,
        over: verbs.Verbs,
        *,
        streams: PodStreams,
        issuer: tokens.TokenIssuer | None,
        authorizer: authorization.Authorizer | None = None,
    ) -> None:
        self._verbs, self._streams, self._issuer = over, streams, issuer
        self._grants = granting.Grants(authorizer)
        self._events = events.Events(over.clock)

    async def handle(self, request: web.Request, path: paths.Path) -> web.StreamResponse:
        """Answer one request; raises `ApiError`. Whatever is told, be it by a refusal, is on disk by then."""
        try:
            response = await self._answer_to(request, path)
        except ApiError:
            await self._verbs.store.until_on_disk()
            raise
        if not response.prepared:  # a stream has been told its answer already
            await self._verbs.store.until_on_disk(response.get(_TOLD))
        return response

    async def _answer_to(self, request: web.Request, path: paths.Path) -> web.StreamResponse:
        if path.resource is None:
            raise statuses.no_such_resource()
        kind = self._verbs.kind_of(path.resource)
        if (path.name or path.namespace) and kind.namespaced is not bool(path.namespace):
            raise statuses.no_such_resource()
        if path.subresource:
            return await self._subresource(request, kind, path)
        if _verb(request, path) not in kind.verbs:
            raise statuses.method_not_allowed()
        if path.name:
            return await self._object(request, kind, path)
        return await self._collection(request, kind, path)

    async def _collection(
        self, request: web.Request, kind: kinds_module.Kind, path: paths.Path
    ) -> web.StreamResponse:
        if request.method == "GET":
            matches = _selector(request, kind)
            if queries.is_true(request.query, "watch"):
                return await watching.serve(
                    request, self._verbs, kind, path.namespace, matches, told=self._events
                )
            return self._list(request, kind, path.namespace, matches)
        if request.method == "POST":
            options = _write_options(request)
            body = await self._body(request)
            self._check_grant(request, kind, path, body)
            written = await self._verbs.request_create(
                kind.resource, body, namespace=path.namespace, options=options
            )
            return self._answer(request, kind, written, code=201)
        if request.method == "DELETE":
            wanted = await self._delete_options(request)
            gone = await self._verbs.request_delete_collection(
                kind.resource, path.namespace, matches=_selector(request, kind), options=wanted
            )
            return responses.json_response(self._deleted_list(kind, gone))
        raise statuses.method_not_allowed()

    async def _object(
        self, request: web.Request, kind: kinds_module.Kind, path: paths.Path
    ) -> web.StreamResponse:
        if request.method == "GET":
            stored = self._verbs.get(kind.resource, path.name, path.namespace)
            response = responses.stored_response(request, kind, stored, clock=self._verbs.clock)
            response[_TOLD] = stored.version
            return response
        if request.method in {"PUT", "PATCH"}:
            written = await self._write(request, kind, path)
            return self._answer(request, kind, written, code=201 if written.is_new else 200)
        if request.method == "DELETE":
            options = await self._delete_options(request)
            deleted = await self._verbs.request_delete(
                kind.resource, path.name, path.namespace, options=options
            )
            return self._answer_deleted(request, kind, deleted)
        raise statuses.method_not_allowed()

    async def _write(
        self, request: web.Request, kind: kinds_module.Kind, path: paths.Path
    ) -> writing.Written:
        content, content_type = await request.read(), request.headers.get("Content-Type", "")
        is_apply = request.method == "PATCH" and decoding.is_apply(content_type)
        options = _write_options(request, is_apply=is_apply)
        if request.method == "PUT":
            body = await self._body(request)
            self._check_grant(request, kind, path, body)
            return await self._verbs.request_update(
                kind.resource,
                path.name,
                path.namespace,
                body,
                subresource=path.subresource,
                options=options,
            )
        if is_apply:
            configuration = decoding.decode_configuration(content)
            self._check_grant(request, kind, path, configuration)
            return await self._verbs.request_apply(
                kind.resource,
                path.name,
                path.namespace,
                configuration,
                force=queries.is_true(request.query, "force"),
                subresource=path.subresource,
                options=options,
            )
        patch_type, patch = decoding.decode_patch(content, content_type)
        await self._check_patched_grant(request, kind, path, patch, patch_type)
        return await self._verbs.request_patch(
            kind.resource,
            path.name,
            path.namespace,
            patch,
            patch_type=patch_type,
            subresource=path.subresource,
            options=options,
        )

    def _check_grant(
        self, request: web.Request, kind: kinds_module.Kind, path: paths.Path, body: Any
    ) -> None:
        self._grants.check(request[authentication.USER], kind, path.namespace, path.name, body)

    async def _check_patched_grant(
        self,
        request: web.Request,
        kind: kinds_module.Kind,
        path: paths.Path,
        patch: Any,
        patch_type: PatchType,
    ) -> None:
        """Check the grant in what a patch would make of a role or binding."""
        if self._grants.are_made_by(kind):
            options = writing.WriteOptions(dry_run=True, field_validation="Ignore", is_own=True)
            planned = await self._verbs.request_patch(
                kind.resource, path.name, path.namespace, patch, patch_type=patch_type, options=options
            )
            self._check_grant(request, kind, path, planned.object)

    async def _subresource(
        self, request: web.Request, kind: kinds_module.Kind, path: paths.Path
    ) -> web.StreamResponse:
        known = kinds_module.subresource(kind, path.subresource)
        if known is None:
            raise statuses.no_such_resource()
        wanted = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}.get(request.method)
        if wanted not in known.verbs:
            raise statuses.method_not_allowed()
        stored = self._verbs.get(kind.resource, path.name, path.namespace)
        if path.subresource in parts.WRITTEN:
            return await self._part(request, kind, path, stored)
        if path.subresource in pod_streams.SERVED:
            return await pod_streams.serve(
                request,
                known,
                path,
                stored.object,
                streams=self._streams,
                webhooks=self._verbs.admission,
            )
        return await self._action(request, known, path, stored)

    async def _part(
        self, request: web.Request, kind: kinds_module.Kind, path: paths.Path, stored: records.Stored
    ) -> web.Response:
        """Read or write what `approval`, `ephemeralcontainers`, `finalize`, `scale` and `status` own."""
        if request.method == "GET":
            obj = verbs.present(kind, stored.object)
            if path.subresource == "scale":
                return responses.json_response(scaling.scale_of(kind, obj))
            return responses.object_response(request, kind, obj, clock=self._verbs.clock)
        if path.subresource == "approval":
            self._grants.check_approver(request[authentication.USER], stored)
        written = await self._write(request, kind, path)
        if path.subresource == "scale":
            response = responses.json_response(written.object)
            responses.add_warnings(response.headers, written.warnings)
            return response
        return self._answer(request, kind, written)

    async def _action(
        self,
        request: web.Request,
        part: kinds_module.Subresource,
        path: paths.Path,
        stored: records.Stored,
    ) -> web.Response:
        """POST to a subresource that does something: binding, eviction, token."""
        body = await self._body(request)
        options = _write_options(request)
        content = questions.decode(self._verbs.schemas, kinds_module.body_kind(part), body)
        if path.subresource == "token":
            if self._issuer is None:
                raise ApiError(501, "NotImplemented", "this server has no issuer of service-account tokens")
            answer = tokens.request_token(self._verbs, self._issuer, stored.object, content)
            return responses.json_response(answer, code=201)
        if path.subresource == "binding":
            node = (content.get("target") or {}).get("name")
            if not node:
                raise statuses.bad_request("target.name: Required value: the node to bind the pod to")
            if not options.dry_run:
                await self._verbs.request_bind(path.namespace, path.name, node, options=options)
        elif path.subresource == "eviction":
            await evicting.evict(
                self._verbs,
                stored.object,
                content,
                is_dry_run=options.dry_run,
                user=request[authentication.USER],
            )
        else:
            raise statuses.no_such_resource()
        success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return responses.json_response(success, code=201)

    def _list(
        self,
        request: web.Request,
        kind: kinds_module.Kind,
        namespace: str,
        matches: selectors.Predicate | None,
    ) -> web.Response:
        current = self._verbs.store.version
        page = paging.wanted_page(request.query, current)
        version = current if page.version is None else page.version
        try:
            found = self._verbs.list(kind.resource, namespace, matches=matches, version=page.version)
        except records.Expired as error:
            raise paging.expired(page.after, current) from error
        if after := page.after:
            found = [each for each in found if (each.namespace, each.name) > (after.namespace, after.name)]
        list_metadata: JsonObject = {"resourceVersion": str(version)}
        limit = queries.number(request.query, "limit")
        if limit and len(found) > limit:
            last = found[limit - 1]
            list_metadata["continue"] = queries.Cursor(version, last.namespace, last.name).encode()
            if matches is None:
                list_metadata["remainingItemCount"] = len(found) - limit
            found = found[:limit]
        return responses.list_response(
            request, kind, found, list_metadata=list_metadata, clock=self._verbs.clock
        )

    async def _body(self, request: web.Request) -> Any:
        return decoding.decode_body(await request.read(), request.headers.get("Content-Type", ""))

    async def _delete_options(self, request: web.Request) -> deleting.DeleteOptions:
        """Options are sent in the body, or by some clients in the query."""
        body = decoding.decode_options(await request.read(), request.headers.get("Content-Type", ""))
        options = deleting.parse_options({**_options_in_query(request.query), **body})
        return dataclasses.replace(options, user=request[authentication.USER])

    def _answer(
        self, request: web.Request, kind: kinds_module.Kind, written: writing.Written, *, code: int = 200
    ) -> web.Response:
        return responses.object_response(
            request, kind, written.object, clock=self._verbs.clock, code=code, warnings=written.warnings
        )

    def _answer_deleted(
        self, request: web.Request, kind: kinds_module.Kind, deleted: deleting.Deleted
    ) -> web.Response:
        """What stays for a while is shown, and so is what is gone of some kinds; of others that is a `Status`."""
        if deleted.is_gone and (kind.resource.group, kind.resource.plural) not in _SHOWN_WHEN_GONE:
            fields = deleted.object["metadata"]
            body = statuses.deleted(kind.resource, fields["name"], fields["uid"])
            response = responses.json_response(body)
            responses.add_warnings(response.headers, deleted.warnings)
            return response
        return responses.object_response(
            request, kind, deleted.object, clock=self._verbs.clock, warnings=deleted.warnings
        )

    def _deleted_list(self, kind: kinds_module.Kind, objects: Sequence[JsonObject]) -> JsonObject:
        return {
            "kind": f"{kind.kind}List",
            "apiVersion": kind.api_version,
            "metadata": {"resourceVersion": str(self._verbs.store.version)},
            "items": list(objects),
        }


def _selector(request: web.Request, kind: kinds_module.Kind) -> selectors.Predicate | None:
    query = request.query
    return selectors.parse(
        query.get("labelSelector", ""),
        query.get("fieldSelector", ""),
        kind=kind.kind,
        more_fields=kind.selectable_fields,
        is_custom=kind.is_custom,
    )


def _verb(request: web.Request, path: paths.Path) -> str:
    """What a request on an object or a collection wants to do, in the words of discovery."""
    if request.method == "GET" and not path.name:
        return "watch" if queries.is_true(request.query, "watch") else "list"
    if request.method == "DELETE" and not path.name:
        return "deletecollection"
    known = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
    return known.get(request.method, "")


def _options_in_query(query: MultiMapping[str]) -> JsonObject:
    """The DeleteOptions that a query stands for."""
    found: JsonObject = {}
    if "propagationPolicy" in query:
        found["propagationPolicy"] = query["propagationPolicy"]
    if "orphanDependents" in query:
        found["orphanDependents"] = queries.is_true(query, "orphanDependents")
    if (grace_s := queries.number(query, "gracePeriodSeconds")) is not None:
        found["gracePeriodSeconds"] = grace_s
    if "dryRun" in query:
        found["dryRun"] = query.getall("dryRun")
    return found


def _write_options(request: web.Request, *, is_apply: bool = False) -> writing.WriteOptions:
    option_rules.check_write(request.query, request.method, is_apply=is_apply)
    options = queries.write_options(request.query, request.headers.get("User-Agent", ""))
    return dataclasses.replace(options, user=request[authentication.USER])
