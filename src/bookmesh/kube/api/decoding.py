"""Request bodies to objects: JSON, YAML, and the protobuf that kubectl sends for some kinds."""

from __future__ import annotations

from typing import Any, Final

import orjson
import yaml

from bookmesh.base.kubernetes import JsonObject, PatchType
from bookmesh.kube.api import statuses
from bookmesh.kube.schema import protobuf

JSON: Final = "application/json"
YAML: Final = "application/yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
BODY_TYPES: Final = (JSON, YAML, PROTOBUF)

_PATCH_TYPES: Final[dict[str, PatchType]] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
}
APPLY: Final = "application/apply-patch+yaml"


def media_type(content_type: str) -> str:
    """The type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def decode_body(body: bytes, content_type: str) -> Any:
    """
    Decode what was sent for an object; an absent type means JSON.

    Raises:
        ApiError: 400 when it is malformed, 415 for a type that is not understood.
    """
    kind = media_type(content_type)
    if kind in {"", JSON, "text/json"}:
        return _json(body)
    if kind in {YAML, "text/yaml", "application/x-yaml"}:
        return _yaml(body)
    if kind == PROTOBUF:
        try:
            return protobuf.decode(body)
        except protobuf.DecodeError as error:
            raise statuses.bad_request(
                f"the protobuf body of the request could not be read: {error}"
            ) from error
    raise statuses.unsupported_media_type(BODY_TYPES)


def decode_options(body: bytes, content_type: str) -> JsonObject:
    """Decode the optional body of a DELETE; nothing sent is an empty object."""
    if not body.strip():
        return {}
    options = decode_body(body, content_type or JSON)
    if not isinstance(options, dict):
        raise statuses.bad_request("the body of the request is not a DeleteOptions object")
    return options


def decode_patch(body: bytes, content_type: str) -> tuple[PatchType, Any]:
    """
    Decode a patch.

    Raises:
        ApiError: 400 when it is malformed, 415 for types that do not exist.
    """
    kind = media_type(content_type)
    if kind not in _PATCH_TYPES:
        raise statuses.unsupported_media_type((*_PATCH_TYPES, APPLY))
    return _PATCH_TYPES[kind], _shallow(_json(body))


def is_apply(content_type: str) -> bool:
    """Whether a PATCH is a server-side apply."""
    return media_type(content_type) == APPLY


def decode_configuration(body: bytes) -> Any:
    """Decode an applied configuration, YAML or JSON; raises 400."""
    if body.lstrip()[:1] == b"{":
        try:
            return _shallow(orjson.loads(body))
        except orjson.JSONDecodeError:
            pass  # a YAML flow mapping also starts so
    return _shallow(_yaml(body))


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise statuses.bad_request(f"the body of the request is not valid JSON: {error}") from error


def _yaml(body: bytes) -> Any:
    try:
        return _plain(yaml.safe_load(body))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise statuses.bad_request(f"the body of the request is not valid YAML: {error}") from error
    except RecursionError as error:
        raise statuses.bad_request("the body of the request is not valid YAML: exceeded max depth") from error
    except ValueError as error:  # a date that no calendar has, a number of thousands of digits
        raise statuses.bad_request(f"the body of the request is not valid YAML: {error}") from error


def _shallow(value: Any) -> Any:
    """The value, if it is not so deep that nothing could be made of it; raises 400."""
    try:
        orjson.dumps(value)
    except TypeError as error:
        raise statuses.bad_request(f"the body of the request cannot be written as JSON: {error}") from error
    return value


def _plain(value: Any) -> Any:
    """YAML knows dates and keys that are no strings; JSON does not."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
