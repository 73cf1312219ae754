"""What the body of a write must be before it is an object: of the kind, place and state that the request is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bookmesh.base.kubernetes import ApiError, JsonObject, conflict, copy_json
from bookmesh.kube.api import statuses
from bookmesh.kube.schema import kinds
from bookmesh.kube.store import records

_MODIFIED: Final = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
# How many levels deeper than any object its answers may be: lists, tables, reviews, and fields that are owned.
_ROOM: Final = 20


def read(kind: kinds.Kind, body: Any) -> JsonObject:
    """Copy a body, with the right apiVersion and kind and a `metadata`; 400 when that cannot be."""
    if not isinstance(body, dict):
        raise statuses.bad_request(f"the body of the request is not a {kind.kind} object")
    version, named = body.get("apiVersion"), body.get("kind")
    expected = kind.resource.api_version
    if version and version != expected:
        raise statuses.bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({expected})"
        )
    if named and named != kind.kind:
        raise statuses.bad_request(
            f"{named} in version {version!r} cannot be handled as a {kind.kind}: the kind does not match"
        )
    try:
        obj = _copied({**body, "apiVersion": expected, "kind": kind.kind})
    except TypeError as error:  # numbers beyond 64 bits, half a surrogate: YAML has them, JSON does not
        raise statuses.bad_request(f"the object cannot be written as JSON: {error}") from error
    if obj.get("metadata") is None:
        obj["metadata"] = {}
    if not isinstance(obj["metadata"], dict):
        raise statuses.bad_request(f"{kind.kind}.metadata: must be an object")
    return obj


def _copied(obj: JsonObject) -> JsonObject:
    """Copy an object; raises TypeError when it is no JSON, or so deep that no list could hold it and its owners."""
    wrapped: JsonObject = {"": obj}
    for _ in range(_ROOM):
        wrapped = {"": wrapped}
    copied = copy_json(wrapped)
    for _ in range(_ROOM + 1):
        copied = copied[""]
    return copied


def namespace_for(kind: kinds.Kind, obj: JsonObject, namespace: str) -> str:
    """The namespace to write to: "" for a cluster-scoped kind; 400 when request and body disagree."""
    own = obj["metadata"].get("namespace") or ""
    if not kind.namespaced:
        return ""
    if namespace and own and own != namespace:
        raise statuses.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not (namespace or own):
        raise statuses.bad_request("an empty namespace may not be set during creation")
    return namespace or str(own)


def check_identity(kind: kinds.Kind, obj: JsonObject, stored: records.Stored) -> None:
    """The body must be about the stored object, and not about an older state of it."""
    fields, actual = obj["metadata"], stored.object["metadata"]
    name = fields.get("name")
    if not name:
        raise statuses.bad_request(
            f"the name of the object ({stored.name} based on URL) was undeterminable: name must be provided"
        )
    if name != stored.name:
        raise statuses.bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({stored.name})"
        )
    if kind.namespaced and (fields.get("namespace") or stored.namespace) != stored.namespace:
        raise statuses.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    uid = fields.get("uid")
    if uid and uid != actual["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {actual['uid']}"
        raise conflict(kind.resource, stored.name, why)
    version = fields.get("resourceVersion")
    if version and version != actual["resourceVersion"]:
        raise conflict(kind.resource, stored.name, _MODIFIED)


def strict_error(kind: kinds.Kind, unknown: Sequence[str]) -> ApiError:
    """The refusal of a body with fields that its kind does not have."""
    joined = ", ".join(unknown)
    if kind.is_custom:
        return statuses.bad_request(f"strict decoding error: {joined}")
    return statuses.bad_request(
        f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
        f"strict decoding error: {joined}"
    )
