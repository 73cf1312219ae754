"""
Schemas of custom kinds: structural, so that every field has one type, and rules that can be evaluated.

Below `anyOf`, `allOf`, `oneOf` and `not` a schema only narrows what the structure around it says.
"""

from __future__ import annotations

import re
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, nodes, validation_rules
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.expressions import expression

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_TEXT: Final = {"type": "string"}
_OPEN: Final = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
_STRUCTURE: Final = (
    "type",
    "default",
    "additionalProperties",
    "nullable",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-type",
)
_REASONS: Final = ("FieldValueRequired", "FieldValueInvalid", "FieldValueForbidden", "FieldValueDuplicate")


def check_schema(
    schema: Any,
    path: str,
    *,
    is_structural: bool = True,
    is_told_apart: bool = True,
    is_root: bool = False,
) -> list[Cause]:
    """
    Check one schema and those inside it.

    Args:
        is_structural: False below `anyOf` and the like.
        is_told_apart: whether values here can be compared with what they were before a change.
        is_root: whether it is the schema of a whole object.
    """
    if not isinstance(schema, dict):
        return []
    found = _check_structure(schema, path) if is_structural else _check_narrowing(schema, path)
    found += _check_common(schema, path)
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or []):
        place = f"{path}.x-kubernetes-validations[{index}]"
        found += _check_rule(rule, place, _self_of(schema, is_root=is_root), is_told_apart=is_told_apart)
    below = is_told_apart and schema.get("x-kubernetes-map-type") != "atomic"
    for name, child in (schema.get("properties") or {}).items():
        place = f"{path}.properties[{name}]"
        found += check_schema(child, place, is_structural=is_structural, is_told_apart=below)
    found += check_schema(
        schema.get("additionalProperties"),
        f"{path}.additionalProperties",
        is_structural=is_structural,
        is_told_apart=below,
    )
    below = is_told_apart and schema.get("x-kubernetes-list-type") == "map"
    found += check_schema(
        schema.get("items"), f"{path}.items", is_structural=is_structural, is_told_apart=below
    )
    found += check_schema(schema.get("not"), f"{path}.not", is_structural=False)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index, child in enumerate(schema.get(keyword) or []):
            found += check_schema(child, f"{path}.{keyword}[{index}]", is_structural=False)
    return found


def _check_structure(schema: JsonObject, path: str) -> list[Cause]:
    found: list[Cause] = []
    kind, is_union = schema.get("type"), bool(schema.get("x-kubernetes-int-or-string"))
    if not kind and not any(schema.get(marker) for marker in _OPEN):
        found.append(causes.required(f"{path}.type", "must not be empty for specified object fields"))
    if kind and is_union:
        why = "must be empty if x-kubernetes-int-or-string is true"
        found.append(causes.invalid(f"{path}.type", kind, why))
    if kind == "array" and "items" not in schema:
        found.append(causes.required(f"{path}.items", "must be specified"))
    if schema.get("properties") and schema.get("additionalProperties"):
        why = "must not be used together with properties"
        found.append(causes.forbidden(f"{path}.additionalProperties", why))
    if schema.get("x-kubernetes-embedded-resource"):
        if kind != "object":
            why = "must be object if x-kubernetes-embedded-resource is true"
            found.append(causes.invalid(f"{path}.type", kind or "", why))
        if not schema.get("properties") and not schema.get("x-kubernetes-preserve-unknown-fields"):
            why = (
                "must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"
            )
            found.append(causes.required(f"{path}.properties", why))
    return found + _check_list(schema, path)


def _check_list(schema: JsonObject, path: str) -> list[Cause]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or []
    items = schema.get("items") or {}
    found: list[Cause] = []
    if kind is not None and kind not in ("atomic", "map", "set"):
        found.append(causes.not_supported(f"{path}.x-kubernetes-list-type", kind, ("atomic", "map", "set")))
    if kind is not None and schema.get("type") != "array":
        why = "must be array if x-kubernetes-list-type is specified"
        found.append(causes.invalid(f"{path}.type", schema.get("type", ""), why))
    if keys and kind != "map":
        why = "must be map if x-kubernetes-list-map-keys is non-empty"
        found.append(causes.invalid(f"{path}.x-kubernetes-list-type", kind or "", why))
    if kind == "map":
        found += _check_keys(keys, items, path)
    return found


def _check_keys(keys: list[str], items: JsonObject, path: str) -> list[Cause]:
    """Elements of a map list are objects that have each key, or get it by default."""
    where = f"{path}.x-kubernetes-list-map-keys"
    if not keys:
        return [causes.required(where, "must not be empty if x-kubernetes-list-type is map")]
    if items.get("type") != "object":
        why = "must be object if parent array's x-kubernetes-list-type is map"
        return [causes.invalid(f"{path}.items.type", items.get("type", ""), why)]
    found: list[Cause] = []
    for index, key in enumerate(keys):
        field = (items.get("properties") or {}).get(key)
        if field is None:
            why = "entries must all be names of item properties"
            found.append(causes.invalid(f"{where}[{index}]", key, why))
        elif key not in (items.get("required") or []) and "default" not in field:
            why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            found.append(causes.required(f"{path}.items.properties[{key}].default", why))
    return found


def _check_narrowing(schema: JsonObject, path: str) -> list[Cause]:
    """How a value is built is said outside of `anyOf` and the like; the two types of int-or-string are an exception."""
    is_union_type = schema.get("type") in ("integer", "string") and not (schema.keys() - {"type", "pattern"})
    return [
        causes.forbidden(f"{path}.{keyword}", "must be empty to be structural")
        for keyword in _STRUCTURE
        if schema.get(keyword) and not (keyword == "type" and is_union_type)
    ]


def _check_common(schema: JsonObject, path: str) -> list[Cause]:
    found: list[Cause] = []
    kind = schema.get("type")
    if kind is not None and kind not in _TYPES:
        found.append(causes.not_supported(f"{path}.type", kind, _TYPES))
    if "pattern" in schema:
        found += _check_pattern(f"{path}.pattern", schema["pattern"])
    if "$ref" in schema:
        found.append(causes.forbidden(f"{path}.$ref", "$ref is not supported"))
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        found.append(causes.forbidden(f"{path}.uniqueItems", why))
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        why = "must be true or undefined"
        found.append(causes.invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, why))
    return found


def _check_pattern(where: str, pattern: str) -> list[Cause]:
    try:
        nodes.compile_pattern(pattern)
    except re.error as error:
        return [causes.invalid(where, pattern, f"must be a valid regular expression: {error}")]
    return []


def _self_of(schema: JsonObject, *, is_root: bool) -> nodes.Node:
    """What rules see of a value: of an object's metadata just the name."""
    if is_root or schema.get("x-kubernetes-embedded-resource"):
        metadata = {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}}
        own = {**(schema.get("properties") or {}), "metadata": metadata}
        schema = {**schema, "properties": {"apiVersion": _TEXT, "kind": _TEXT, **own}}
    return nodes.Node(schema, _no_definition)


def _no_definition(name: str) -> nodes.Node:
    raise KeyError(name)  # structural schemas have no references


def _check_rule(rule: JsonObject, path: str, value: nodes.Node, *, is_told_apart: bool) -> list[Cause]:
    text = (rule.get("rule") or "").strip()
    if not text:
        return [causes.required(f"{path}.rule", "rule is not specified")]
    found = _check_expression(f"{path}.rule", text, value, wanted="boolean")
    if not found and not is_told_apart and "oldSelf" in _names(text):
        why = "oldSelf cannot be used on the uncorrelatable portion of the schema"
        found.append(causes.invalid(f"{path}.rule", text, why))
    message = rule.get("message")
    if message is not None and not message.strip():
        found.append(causes.invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif message and "\n" in message.strip():
        found.append(causes.invalid(f"{path}.message", message, "message must not contain line breaks"))
    elif "\n" in text and not message:
        found.append(
            causes.required(f"{path}.message", "message must be specified if rule contains line breaks")
        )
    if rule.get("messageExpression"):
        made = rule["messageExpression"].strip()
        found += _check_expression(f"{path}.messageExpression", made, value, wanted="string")
    if rule.get("reason") is not None and rule["reason"] not in _REASONS:
        found.append(causes.not_supported(f"{path}.reason", rule["reason"], _REASONS))
    return found


def _check_expression(where: str, text: str, value: nodes.Node, *, wanted: str) -> list[Cause]:
    try:
        compiled = expression.compile_expression(text, validation_rules.VARIABLES)
    except expression.ExpressionError as error:
        return [causes.invalid(where, text, f"compilation failed: {error}")]
    problems = compiled.check_types({"self": value, "oldSelf": value}, wanted)
    return [causes.invalid(where, text, f"compilation failed: {each}") for each in problems]


def _names(text: str) -> frozenset[str]:
    try:
        return expression.compile_expression(text, validation_rules.VARIABLES).names
    except expression.ExpressionError:
        return frozenset()
