"""What a server says of itself, whatever objects it has: version, discovery, OpenAPI."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bookmesh.kube.api import discovery, openapi, responses, statuses, verbs, versions
from bookmesh.kube.api.aggregation import aggregator

# A document whose address has its hash never changes.
_FOR_EVER: Final = {"Cache-Control": "public, immutable", "Expires": "Fri, 31 Dec 2099 23:59:59 GMT"}


class Root:
    """Answers what is not about objects."""

    def __init__(self, over: verbs.Verbs, aggregated: aggregator.Aggregator) -> None:
        """`aggregated` knows what other servers answer for."""
        self._verbs, self._aggregated = over, aggregated
        self._documents = openapi.Documents(over.kinds, over.schemas, version=versions.GIT_VERSION)
        self._revision = (-1, -1)
        self._groups: discovery.Groups = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve each path with and without a slash at its end."""
        for path, answer in (
            ("/", self.index),
            ("/version", self.version),
            ("/api", self.discovery),
            ("/apis", self.discovery),
            ("/openapi/v2", self.openapi_v2),
            ("/openapi/v3", self.openapi_v3),
            ("/openapi/v3/api/{version}", self.openapi_v3_document),
            ("/openapi/v3/apis/{group}/{version}", self.openapi_v3_document),
            ("/api/{version}", self.resource_list),
            ("/apis/{group}", self.group),
            ("/apis/{group}/{version}", self.resource_list),
        ):
            router.add_get(path, answer)
            if path != "/":
                router.add_get(path + "/", answer)

    def _discovered(self) -> discovery.Groups:
        revision = (self._verbs.custom.revision, self._aggregated.revision)
        if self._revision != revision:
            self._groups = discovery.grouped(self._verbs.kinds.all(), self._aggregated.outside())
            self._revision = revision
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
        outside = self._aggregated.document_hashes()
        return responses.json_response(self._documents.index(self._verbs.custom.revision, outside))

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
