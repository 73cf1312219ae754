"""
Causes: what is wrong with one field of an object, in the words of a real API server.

`Cause` maps one to one to an entry of `Status.details.causes`; the Status message is `<field>: <message>` for each.
The functions here build the standard wordings, so that validation and semantic rules read alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import orjson

Reason = Literal[
    "FieldValueRequired",
    "FieldValueInvalid",
    "FieldValueTypeInvalid",
    "FieldValueNotSupported",
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueNotFound",
    "FieldValueTooLong",
    "FieldValueTooMany",
]


@dataclass(frozen=True, slots=True)
class Cause:
    """`field` is a path such as `spec.ports[0].port`; `message` does not repeat it."""

    field: str
    reason: Reason
    message: str


def quoted(value: Any) -> str:
    """Write a value as Kubernetes messages do: strings in quotes, everything else as JSON."""
    return orjson.dumps(value).decode()


def required(field: str, why: str = "") -> Cause:
    return Cause(field, "FieldValueRequired", f"Required value: {why}" if why else "Required value")


def invalid(field: str, value: Any, why: str) -> Cause:
    return Cause(field, "FieldValueInvalid", f"Invalid value: {quoted(value)}: {why}")


def wrong_type(field: str, value: Any, wanted: str) -> Cause:
    found = quoted(type_name(value))
    shown = field or "body"
    message = f"Invalid value: {found}: {shown} in body must be of type {wanted}: {found}"
    return Cause(field, "FieldValueTypeInvalid", message)


def not_supported(field: str, value: Any, supported: Iterable[Any]) -> Cause:
    listed = ", ".join(quoted(choice) for choice in supported)
    message = f"Unsupported value: {quoted(value)}: supported values: {listed}"
    return Cause(field, "FieldValueNotSupported", message)


def duplicate(field: str, value: Any) -> Cause:
    return Cause(field, "FieldValueDuplicate", f"Duplicate value: {quoted(value)}")


def forbidden(field: str, why: str) -> Cause:
    return Cause(field, "FieldValueForbidden", f"Forbidden: {why}")


def missing(field: str, value: Any) -> Cause:
    return Cause(field, "FieldValueNotFound", f"Not found: {quoted(value)}")


def too_long(field: str, limit: int) -> Cause:
    return Cause(field, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def too_many(field: str, count: int, limit: int) -> Cause:
    return Cause(field, "FieldValueTooMany", f"Too many: {count}: must have at most {limit} items")


def type_name(value: Any) -> str:
    """Name the JSON type of a value; a number with a fraction is `number`, one without `integer`."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]
