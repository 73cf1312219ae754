"""Refusals and answers as `Status` objects, in the words of a real API server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from bookmesh.base.kubernetes import ApiError, JsonObject, Resource

NO_SUCH_RESOURCE = "the server could not find the requested resource"


class CauseLike(Protocol):
    """One thing that is wrong with one field; `message` already starts with the kind of mistake."""

    @property
    def field(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def message(self) -> str: ...


class Cause(NamedTuple):
    """A cause that this room finds itself."""

    field: str
    reason: str
    message: str


def invalid(*, group: str, kind: str, name: str, causes: Sequence[CauseLike]) -> ApiError:
    """422 with every cause, as validation answers."""
    qualified = f"{kind}.{group}" if group else kind
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details: JsonObject = {
        "name": name,
        "group": group,
        "kind": kind,
        "causes": [
            {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
        ],
    }
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {joined}', details=details)


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def internal(text: str) -> ApiError:
    """500: what others who have a say in the request answered cannot be used."""
    return ApiError(
        500, "InternalError", f"Internal error occurred: {text}", details={"causes": [{"message": text}]}
    )


def no_such_resource() -> ApiError:
    """
    404 for a path that names no served resource; clients take it as "the kind is unknown".

    They look into the details, which are there and empty.
    """
    return ApiError(404, "NotFound", NO_SUCH_RESOURCE, details={})


def method_not_allowed() -> ApiError:
    """405."""
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
    )


def already_exists(resource: Resource, name: str) -> ApiError:
    """409 for a create."""
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return ApiError(409, "AlreadyExists", f'{resource.qualified} "{name}" already exists', details=details)


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    """415 that lists what is understood."""
    listed = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, "UnsupportedMediaType", message)


def expired(message: str) -> ApiError:
    """410: the history that was asked for is gone; the client lists again."""
    return ApiError(410, "Expired", message)


def deleted(resource: Resource, name: str, uid: str) -> JsonObject:
    """The `Status` that answers a deletion which is complete."""
    details: JsonObject = {"name": name, "kind": resource.plural, "uid": uid}
    if resource.group:
        details["group"] = resource.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
