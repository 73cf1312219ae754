"""Label selectors as objects carry them (`matchLabels`, `matchExpressions`, plain maps)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bookmesh.base.kubernetes import JsonObject

_REQUIREMENT: Final = re.compile(
    r"\s*(?P<no>!?)(?P<key>[^\s!=,()]+)\s*"
    r"(?:(?P<operator>==|=|!=)\s*(?P<value>[^\s,()]*)|(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?\s*"
)


def labels_of(obj: JsonObject) -> Mapping[str, str]:
    labels: Mapping[str, str] = obj["metadata"].get("labels") or {}
    return labels


def has_labels(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Tell whether every wanted pair is among the labels; nothing wanted is always there."""
    return all(labels.get(key) == value for key, value in wanted.items())


def matches(selector: JsonObject | None, labels: Mapping[str, str]) -> bool:
    """Evaluate a LabelSelector: none matches nothing, an empty one everything."""
    if selector is None:
        return False
    if not has_labels(selector.get("matchLabels") or {}, labels):
        return False
    return all_match(selector.get("matchExpressions") or (), labels)


def all_match(expressions: Sequence[JsonObject], labels: Mapping[str, str]) -> bool:
    """
    Evaluate requirements of label selectors and node selectors.

    Raises:
        ValueError: an operator that neither of them has.
    """
    return all(_holds(expression, labels) for expression in expressions)


def parse(text: str) -> JsonObject:
    """
    Read a selector on one line, as a `Scale` has it: `app=web,tier in (a, b),!old`.

    Raises:
        ValueError: a requirement that is none.
    """
    requirements: list[JsonObject] = []
    for part in re.split(r",(?![^(]*\))", text):
        found = _REQUIREMENT.fullmatch(part)
        if found is None:
            raise ValueError(f'"{part}" is no requirement of a selector')
        key, operator, values = found["key"], found["operator"] or found["set"], found["values"]
        if found["no"]:
            requirements.append({"key": key, "operator": "DoesNotExist"})
        elif operator in ("in", "notin"):
            listed = [value.strip() for value in values.split(",")]
            requirements.append(
                {"key": key, "operator": "In" if operator == "in" else "NotIn", "values": listed}
            )
        elif operator:
            kind = "NotIn" if operator == "!=" else "In"
            requirements.append({"key": key, "operator": kind, "values": [found["value"]]})
        else:
            requirements.append({"key": key, "operator": "Exists"})
    return {"matchExpressions": requirements}


def _holds(expression: JsonObject, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    values: Sequence[str] = expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return _is_integer(value) and int(value or 0) > int(values[0])
        case "Lt":
            return _is_integer(value) and int(value or 0) < int(values[0])
        case operator:
            raise ValueError(f'unknown operator "{operator}" in a selector')


def _is_integer(value: str | None) -> bool:
    return value is not None and value.removeprefix("-").isdecimal()
