"""Functions of texts: regular expressions, formatting, positions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bookmesh.kube.schema import nodes
from bookmesh.kube.schema.expressions.engine import stdlib

_VERB: Final = re.compile(r"%(?:\.(\d+))?([sdfebxXo%])")


def find(text: str, pattern: str) -> str:
    """The first match of a pattern, "" when there is none."""
    match = nodes.compile_pattern(pattern).search(text)
    return match[0] if match else ""


def find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    """Every match of a pattern, or the first `limit` ones."""
    found = [match[0] for match in nodes.compile_pattern(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


def index_of(owner: str | list[Any], wanted: Any, start: int = 0) -> int:
    """The first position in a text or list, -1 when it is not there."""
    if isinstance(owner, list):
        return owner.index(wanted) if wanted in owner else -1
    return stdlib.index_of(owner, wanted, start)


def last_index_of(owner: str | list[Any], wanted: Any, *start: int) -> int:
    """The last position in a text or list, -1 when it is not there."""
    if isinstance(owner, list):
        return len(owner) - 1 - owner[::-1].index(wanted) if wanted in owner else -1
    return stdlib.last_index_of(owner, wanted, *start)


def format_text(template: str, values: Sequence[Any]) -> str:
    """Fill in `%s`, `%d`, `%f`, `%e`, `%b`, `%x`, `%X`, `%o`; raises ValueError when there are too few values."""
    rest = iter(values)

    def fill(match: re.Match[str]) -> str:
        if match[2] == "%":
            return "%"
        try:
            return _formatted(next(rest), match[2], match[1])
        except StopIteration:
            raise ValueError("index out of range: more verbs than values") from None

    return _VERB.sub(fill, template)


def _formatted(value: Any, verb: str, precision: str | None) -> str:
    if verb == "s":
        return shown(value)
    if verb in "fe":
        return f"{value:.{precision or 6}{verb}}"
    if isinstance(value, str) and verb in "xX":
        return value.encode().hex() if verb == "x" else value.encode().hex().upper()
    return format(value, verb)


def shown(value: Any) -> str:
    """A value as `%s` writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(value[key])}" for key in sorted(value)) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def escape_key(key: str) -> str:
    """A key as a step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "find": find,
    "findAll": find_all,
    "format": format_text,
    "indexOf": index_of,
    "jsonpatch.escapeKey": escape_key,
    "lastIndexOf": last_index_of,
}
