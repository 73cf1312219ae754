"""Causes in the words of an API server."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema import causes


@pytest.mark.parametrize(
    ("cause", "reason", "message"),
    [
        (causes.required("f"), "FieldValueRequired", "Required value"),
        (causes.required("f", "why"), "FieldValueRequired", "Required value: why"),
        (causes.invalid("f", "x", "why"), "FieldValueInvalid", 'Invalid value: "x": why'),
        (causes.invalid("f", 3, "why"), "FieldValueInvalid", "Invalid value: 3: why"),
        (causes.invalid("f", {"a": ["ü"]}, "why"), "FieldValueInvalid", 'Invalid value: {"a":["ü"]}: why'),
        (causes.not_supported("f", "x", ["A", "B"]), "FieldValueNotSupported", None),
        (causes.duplicate("f", "x"), "FieldValueDuplicate", 'Duplicate value: "x"'),
        (causes.forbidden("f", "why"), "FieldValueForbidden", "Forbidden: why"),
        (causes.missing("f", "x"), "FieldValueNotFound", 'Not found: "x"'),
        (causes.too_long("f", 5), "FieldValueTooLong", "Too long: may not be more than 5 bytes"),
        (causes.too_many("f", 3, 2), "FieldValueTooMany", "Too many: 3: must have at most 2 items"),
    ],
)
def test_a_cause_has_reason_and_message(cause: causes.Cause, reason: str, message: str | None) -> None:
    assert (cause.field, cause.reason) == ("f", reason)
    assert message is None or cause.message == message


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "integer"),
        (1.5, "number"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_values_have_json_type_names(value: Any, name: str) -> None:
    assert causes.type_name(value) == name
