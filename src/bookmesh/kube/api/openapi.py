"""
OpenAPI documents: what kubectl needs before it creates, applies or explains anything.

v3: an index with a content hash for each group version, and one document each. kubectl reads from the PATCH operation
whether the server validates fields (`fieldValidation`) and whether it takes strategic merge patches, and from
`components` what `explain` prints. v2 is a stub without paths: its presence makes kubectl report an unknown kind as
such, instead of a missing document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import discovery
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module

V2_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_PATCHES: Final = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
)
_STRATEGIC: Final = "application/strategic-merge-patch+json"
_REFERENCE: Final = "#/components/schemas/"
_WRITE_PARAMETERS: Final = ("dryRun", "fieldManager", "fieldValidation")


class Documents:
    """Builds documents on demand; what is built is kept for one `revision` of the CRDs."""

    def __init__(self, kinds: kinds_module.Kinds, schemas: schemas_module.Schemas, *, version: str) -> None:
        """`version` is the server's, for `info`."""
        self._kinds, self._schemas, self._version = kinds, schemas, version
        self._revision = -1
        self._documents: dict[str, bytes] = {}

    def index(self, revision: int, outside: Mapping[tuple[str, str], str | None]) -> JsonObject:
        """
        Build `/openapi/v3`: every group version's path, with the hash that makes it cacheable for ever.

        `outside` has the hashes of the documents that other servers answer with, by group and version; without a
        document of its server a group version is left out.
        """
        paths = {}
        for group, versions in discovery.grouped(self._kinds.all()).items():
            for version in versions:
                key = _key(group, version)
                digest = hashlib.sha256(self._built(key, group, version, revision)).hexdigest()[:32].upper()
                paths[key] = {"serverRelativeURL": f"/openapi/v3/{key}?hash={digest}"}
        for (group, version), published in outside.items():
            key = _key(group, version)
            if published is None:
                paths.pop(key, None)
            else:
                paths[key] = {"serverRelativeURL": f"/openapi/v3/{key}?hash={published}"}
        return {"paths": paths}

    def document(self, group: str, version: str, revision: int) -> bytes | None:
        """The document of a group version; None when nothing of it is served."""
        if not any(kind.group == group and kind.version == version for kind in self._kinds.all()):
            return None
        return self._built(_key(group, version), group, version, revision)

    def _built(self, key: str, group: str, version: str, revision: int) -> bytes:
        if revision != self._revision:
            custom = {_key(kind.group, kind.version) for kind in self._kinds.all() if kind.is_custom}
            builtin = {_key(kind.group, kind.version) for kind in self._kinds.all() if not kind.is_custom}
            kept = builtin - custom
            self._documents = {known: body for known, body in self._documents.items() if known in kept}
            self._revision = revision
        if key not in self._documents:
            self._documents[key] = orjson.dumps(self._build(group, version))
        return self._documents[key]

    def _build(self, group: str, version: str) -> JsonObject:
        served = [kind for kind in self._kinds.all() if (kind.group, kind.version) == (group, version)]
        paths: JsonObject = {}
        for kind in served:
            name = self._schemas.name_for(kind.group, kind.version, kind.kind)
            schema: JsonObject = {"$ref": _REFERENCE + name} if name else {"type": "object"}
            paths |= _paths_of(kind, schema)
        roots = [(kind.group, kind.version, kind.kind) for kind in served]
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": self._version},
            "paths": paths,
            "components": {"schemas": self._schemas.components(roots)},
        }


def v2_stub(version: str) -> bytes:
    """A gnostic `Document` with `swagger`, `info` and no paths, as protobuf."""
    info = _field(1, b"Kubernetes") + _field(2, version.encode())
    return _field(1, b"2.0") + _field(2, info) + _field(8, b"")


def _field(number: int, content: bytes) -> bytes:
    """One length-delimited protobuf field of fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


def _key(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _paths_of(kind: kinds_module.Kind, schema: JsonObject) -> JsonObject:
    within = "/namespaces/{namespace}" if kind.namespaced else ""
    collection = f"/{_key(kind.group, kind.version)}{within}/{kind.plural}"
    parameters = [_parameter(name) for name in _WRITE_PARAMETERS]
    body = {"content": {"application/json": {"schema": schema}}, "required": True}
    patches = [*_PATCHES] if kind.is_custom else [*_PATCHES, _STRATEGIC]
    patch_body = {"content": {name: {"schema": {"type": "object"}} for name in patches}, "required": True}
    place = [_path_parameter("namespace")] if kind.namespaced else []
    listed: JsonObject = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": schema}},
    }
    what_is_gone: JsonObject = {"type": "object"}  # a Status, or the object
    return {
        collection: {
            "parameters": place,
            "get": _operation(
                kind, "list", listed, parameters=[*map(_parameter, ("labelSelector", "fieldSelector"))]
            ),
            "post": {
                **_operation(kind, "post", schema, parameters=parameters, codes=(200, 201, 202)),
                "requestBody": body,
            },
        },
        f"{collection}/{{name}}": {
            "parameters": [*place, _path_parameter("name")],
            "get": _operation(kind, "get", schema, parameters=[]),
            "put": {
                **_operation(kind, "put", schema, parameters=parameters, codes=(200, 201)),
                "requestBody": body,
            },
            "delete": _operation(
                kind, "delete", what_is_gone, parameters=[_parameter("dryRun")], codes=(200, 202)
            ),
            "patch": {
                **_operation(
                    kind,
                    "patch",
                    schema,
                    parameters=[*parameters, _parameter("force", "boolean")],
                    codes=(200, 201),
                ),
                "requestBody": patch_body,
            },
        },
    }


def _operation(
    kind: kinds_module.Kind,
    action: str,
    schema: JsonObject,
    *,
    parameters: list[JsonObject],
    codes: Sequence[int] = (200,),
) -> JsonObject:
    """One operation; `codes` are those of success, and 401 is the only other that real servers document."""
    answer = {"description": "OK", "content": {"application/json": {"schema": schema}}}
    return {
        "operationId": f"{action}{kind.group.partition('.')[0].title()}{kind.version.title()}{kind.kind}",
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {
            "group": kind.group,
            "version": kind.version,
            "kind": kind.kind,
        },
        "parameters": parameters,
        "responses": {**{str(code): answer for code in codes}, "401": {"description": "Unauthorized"}},
    }


def _parameter(name: str, kind: str = "string") -> JsonObject:
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}


def _path_parameter(name: str) -> JsonObject:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}
