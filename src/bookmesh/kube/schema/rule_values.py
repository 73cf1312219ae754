"""
Values as rules see them: the types of the schema, not those of JSON.

Dates are timestamps, durations are durations, numbers have fractions, and names of fields that are no identifiers or
are words of the language are written otherwise (`__namespace__`, `x__dash__y`). Fields that the schema does not
know are not seen.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from typing import Any, Final

from bookmesh.base import durations
from bookmesh.kube.schema import nodes

_WORDS: Final = frozenset(
    {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"}
    | {"import", "let", "loop", "package", "namespace", "return", "var", "void", "while"}
)
_ESCAPES: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED: Final = re.compile(r"__|[./-]")
_CONVERTED: Final = frozenset({"byte", "date", "date-time", "duration"})


def value_for(node: nodes.Node, value: Any) -> Any:
    """Convert a value of the node; a value that no rule could tell from its JSON is returned as it is."""
    if not node.any_below(_is_converted):
        return value
    if isinstance(value, dict):
        return _fields(node, value)
    if isinstance(value, list):
        return [value_for(node.items, each) if node.items else each for each in value]
    if isinstance(value, str):
        return _text(node.format, value)
    if node.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _fields(node: nodes.Node, value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, each in value.items():
        child = node.child(key)
        if child is None and node.properties:
            continue
        name = escaped(key) if key in node.properties else key
        found[name] = value_for(child, each) if child else each
    return found


def _text(kind: str, text: str) -> Any:
    """A text that does not have its format stays a text; the schema's own check tells of it."""
    try:
        if kind == "date-time":
            return datetime.datetime.fromisoformat(text)
        if kind == "date":
            return datetime.datetime.combine(datetime.date.fromisoformat(text), datetime.time(), datetime.UTC)
        if kind == "duration":
            return datetime.timedelta(seconds=durations.parse_duration_s(text))
        if kind == "byte":
            return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return text
    return text


def escaped(name: str) -> str:
    """The name of a field as expressions write it."""
    if name in _WORDS:
        return f"__{name}__"
    return _ESCAPED.sub(lambda match: _ESCAPES[match[0]], name)


def _is_converted(node: nodes.Node) -> bool:
    return (
        node.type == "number"
        or node.format in _CONVERTED
        or any(escaped(name) != name for name in node.properties)
        or bool(node.properties and node.is_open)
    )
