"""Label selectors as objects carry them (`matchLabels`, `matchExpressions`, plain maps)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bookmesh.base.kubernetes import JsonObject


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
