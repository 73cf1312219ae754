"""
Check an object against the schema of its kind: types, required fields, bounds, choices, duplicates.

This is what a real server gets from decoding into Go types (built-in kinds) and from OpenAPI (custom kinds). What needs
knowledge of a kind beyond its schema is in `rules`.
"""

from __future__ import annotations

import binascii
import re
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import alternatives, causes, kinds, nodes, quantities, schemas
from bookmesh.kube.schema.causes import Cause

__all__ = ["Cause", "check"]

_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
_INTEGER_BITS: Final = {"int32": 31, "int64": 63}
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def check(known: schemas.Schemas, kind: kinds.Kind, obj: JsonObject) -> list[Cause]:
    """
    Return everything that is wrong with `obj`, in document order; empty when it is valid.

    A value of the wrong type is reported as such and not looked into.
    """
    checker = _Checker(known, is_custom=kind.is_custom)
    checker.check(known.root(kind.group, kind.version, kind.kind), obj, "")
    return checker.found


class _Checker:
    """One walk over one object."""

    def __init__(self, known: schemas.Schemas, *, is_custom: bool) -> None:
        self.found: list[Cause] = []
        self._known = known
        self._is_custom = is_custom

    def check(self, node: nodes.Node, value: Any, path: str) -> None:
        if value is None and self._is_absent(node):
            return
        if node.is_int_or_string or node.is_quantity:
            self._check_scalar_union(node, value, path)
            return
        if not _has_type(value, node.type):
            self.found.append(causes.wrong_type(path, value, node.type))
            return
        if node.enum and value not in node.enum:
            self.found.append(causes.not_supported(path, value, node.enum))
        if isinstance(value, dict):
            self._check_object(node, value, path)
        elif isinstance(value, list):
            self._check_list(node, value, path)
        elif isinstance(value, str):
            self._check_text(node, value, path)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self._check_number(node, value, path)
        self.found.extend(alternatives.check(node, value, path))

    def _is_absent(self, node: nodes.Node) -> bool:
        """Null is no value in built-in kinds; in custom ones it must be allowed, or will be defaulted."""
        return not self._is_custom or node.is_nullable or node.default is not None or not node.type

    def _check_scalar_union(self, node: nodes.Node, value: Any, path: str) -> None:
        if node.is_int_or_string:
            if isinstance(value, bool) or not isinstance(value, (int, str)):
                self.found.append(causes.wrong_type(path, value, "integer,string"))
            elif node.pattern and isinstance(value, str) and not node.pattern.search(value):
                self.found.append(causes.invalid(path, value, _pattern_text(node, path)))
        elif isinstance(value, (dict, list, bool)):
            self.found.append(causes.wrong_type(path, value, "string"))
        elif not quantities.is_quantity(value):
            why = (
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            )
            self.found.append(causes.invalid(path, value, why))

    def _check_object(self, node: nodes.Node, value: JsonObject, path: str) -> None:
        fewest, most = node.limit("minProperties"), node.limit("maxProperties")
        if fewest is not None and len(value) < fewest:
            why = f"{path} in body should have at least {fewest} properties"
            self.found.append(causes.invalid(path, len(value), why))
        if most is not None and len(value) > most:
            self.found.append(causes.too_many(path, len(value), int(most)))
        for name in node.required:
            if value.get(name) is None and (name not in value or not self._is_custom):
                self.found.append(causes.required(f"{path}.{name}" if path else name))
        for key, each in value.items():
            child = node.child(key)
            if node.is_embedded_resource and key == "metadata":
                child = self._known.definition(schemas.OBJECT_META)
            if child is not None:
                self.check(child, each, f"{path}.{key}" if path else key)

    def _check_list(self, node: nodes.Node, value: list[Any], path: str) -> None:
        if node.items is not None:
            for index, each in enumerate(value):
                if each is None and not node.items.is_nullable and node.items.type:
                    self.found.append(causes.wrong_type(f"{path}[{index}]", each, node.items.type))
                else:
                    self.check(node.items, each, f"{path}[{index}]")
        fewest, most = node.limit("minItems"), node.limit("maxItems")
        if fewest is not None and len(value) < fewest:
            why = f"{path} in body should have at least {fewest} items"
            self.found.append(causes.invalid(path, len(value), why))
        if most is not None and len(value) > most:
            self.found.append(causes.too_many(path, len(value), int(most)))
        self._check_duplicates(node, value, path)

    def _check_duplicates(self, node: nodes.Node, value: list[Any], path: str) -> None:
        # Built-in kinds have rules of their own: real servers do accept the same containerPort twice.
        if not self._is_custom or node.list_type not in ("map", "set"):
            return
        seen: set[str] = set()
        for index, each in enumerate(value):
            identity = _list_identity(node, each)
            if identity is None:
                continue
            text = causes.quoted(identity)
            if text in seen:
                self.found.append(causes.duplicate(f"{path}[{index}]", identity))
            seen.add(text)

    def _check_text(self, node: nodes.Node, value: str, path: str) -> None:
        shortest, longest = node.limit("minLength"), node.limit("maxLength")
        if longest is not None and len(value) > longest:
            self.found.append(causes.too_long(path, int(longest)))
        if shortest is not None and len(value) < shortest:
            why = f"{path} in body should be at least {shortest} chars long"
            self.found.append(causes.invalid(path, value, why))
        if node.pattern and not node.pattern.search(value):
            self.found.append(causes.invalid(path, value, _pattern_text(node, path)))
        if node.format == "date-time" and not _DATE_TIME.fullmatch(value):
            self.found.append(causes.invalid(path, value, f"{path} in body must be of type date-time"))
        if node.format == "byte" and not _is_base64(value):
            self.found.append(
                causes.invalid(path, value, f"{path} in body must be of type byte: illegal base64 data")
            )

    def _check_number(self, node: nodes.Node, value: int | float, path: str) -> None:
        lowest, highest, step = node.limit("minimum"), node.limit("maximum"), node.limit("multipleOf")
        if lowest is not None and (
            value < lowest or (value == lowest and node.source.get("exclusiveMinimum"))
        ):
            bound = "greater than" if node.source.get("exclusiveMinimum") else "greater than or equal to"
            self.found.append(causes.invalid(path, value, f"{path} in body should be {bound} {lowest}"))
        if highest is not None and (
            value > highest or (value == highest and node.source.get("exclusiveMaximum"))
        ):
            bound = "less than" if node.source.get("exclusiveMaximum") else "less than or equal to"
            self.found.append(causes.invalid(path, value, f"{path} in body should be {bound} {highest}"))
        if step is not None and value % step:
            self.found.append(causes.invalid(path, value, f"{path} in body should be a multiple of {step}"))
        bits = _INTEGER_BITS.get(node.format)
        if bits is not None and not -(2**bits) <= value < 2**bits:
            why = f"{path} in body must be of type {node.format}: {causes.quoted(str(value))}"
            self.found.append(causes.invalid(path, value, why))


def _has_type(value: Any, wanted: str) -> bool:
    expected = _TYPES.get(wanted)
    if expected is None:
        return True
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, expected)


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError:
        return False
    return True


def _pattern_text(node: nodes.Node, path: str) -> str:
    return f"{path} in body should match '{node.source['pattern']}'"


def _list_identity(node: nodes.Node, value: Any) -> Any:
    """Return what no two elements of a set or map list may have in common; None for a malformed element."""
    if node.list_type == "set":
        return value
    if not isinstance(value, dict):
        return None
    return {key: value[key] for key in node.list_map_keys if key in value}
