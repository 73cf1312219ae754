"""Bodies that are no objects: reviews, requests for tokens, evictions, bindings. Nothing of them is stored."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.kube.api import statuses
from bookmesh.kube.schema import kinds, schemas, strictness, validation


def decode(known: schemas.Schemas, kind: kinds.Kind, body: Any) -> JsonObject:
    """
    Check a body and copy it in its kind's shape, without fields that the kind does not have.

    Raises:
        ApiError: 400 when it is another kind, or a field has another type.
    """
    if not isinstance(body, dict):
        raise statuses.bad_request(f"the body of the request is not a {kind.kind} object")
    named = (body.get("apiVersion") or kind.api_version, body.get("kind") or kind.kind)
    if named != (kind.api_version, kind.kind):
        raise statuses.bad_request(
            f"{named[1]} in version {named[0]!r} cannot be handled as a {kind.kind} in version {kind.api_version!r}"
        )
    try:
        found = copy_json(body)
    except TypeError as error:
        raise statuses.bad_request(f"the body cannot be written as JSON: {error}") from error
    for cause in validation.check(known, kind, found):
        if cause.reason == "FieldValueTypeInvalid":
            why = f"{cause.field}: {cause.message}"
            raise statuses.bad_request(
                f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}'
            )
    strictness.prune(known, kind, found)
    return found
