"""
Values seen as sets of fields: what a value has, in what two values differ, and a value without some of its fields.

What counts as one field depends on the schema: a scalar does, an atomic list or map as a whole, and a list whose
elements have an identity (`map` with keys, `set`) element by element. Where the schema is open, maps are taken apart
and lists are whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import orjson

from bookmesh.kube.schema import nodes
from bookmesh.kube.schema.ownership import field_sets
from bookmesh.kube.schema.ownership.field_sets import FieldSet

MISSING: Final = object()


class ElementError(ValueError):
    """An element of a list has no identity, or the same as another one."""


class Comparison(NamedTuple):
    """The fields that only the new value has, that only the old one has, and whose values differ."""

    added: FieldSet
    removed: FieldSet
    modified: FieldSet

    @property
    def is_same(self) -> bool:
        return not (self.added or self.removed or self.modified)

    @property
    def written(self) -> FieldSet:
        """What the new value says differently."""
        return field_sets.union(self.modified, self.added)


def _unknown(name: str) -> nodes.Node:
    raise KeyError(name)


OPEN: Final = nodes.Node({}, _unknown)


def child_node(node: nodes.Node, key: str) -> nodes.Node:
    """The node of a field; an open one where the schema says nothing."""
    return node.child(key) or OPEN


def items_node(node: nodes.Node) -> nodes.Node:
    return node.items or OPEN


def is_map(node: nodes.Node, value: Any) -> bool:
    """Whether a value is taken apart field by field."""
    return isinstance(value, dict) and not node.is_atomic_map


def is_associative(node: nodes.Node, value: Any) -> bool:
    """Whether a value is taken apart element by element."""
    return isinstance(value, list) and node.list_type != "atomic"


def step_of(node: nodes.Node, element: Any) -> str:
    """
    The step that leads to an element of an associative list.

    Raises:
        ElementError: it has no identity.
    """
    if node.list_type == "set":
        if isinstance(element, (dict, list)) or element is None:
            raise ElementError("a set may only have scalars")
        return "v:" + orjson.dumps(element).decode()
    if not isinstance(element, dict):
        raise ElementError("associative list with keys may not have non-map elements")
    keys: dict[str, Any] = {}
    for key in sorted(node.list_map_keys):
        child = items_node(node).child(key)
        value = element.get(key)
        if value is None and child is not None:
            value = child.default
        if value is not None:
            keys[key] = value
    if not keys:
        listed = ", ".join(f'"{key}"' for key in node.list_map_keys)
        raise ElementError(f"associative list with keys has an element that omits all key fields [{listed}]")
    return "k:" + orjson.dumps(keys).decode()


def elements(node: nodes.Node, values: Iterable[Any]) -> dict[str, list[Any]]:
    """The elements of an associative list by their step; more than one where the list has duplicates."""
    found: dict[str, list[Any]] = {}
    for each in values:
        found.setdefault(step_of(node, each), []).append(each)
    return found


# --- what a value has


def fields_of(node: nodes.Node, value: Any) -> FieldSet:
    """The fields of a map or associative list, relative to it; empty for everything that is one field itself."""
    result: FieldSet = {}
    if is_map(node, value):
        for key, each in value.items():
            child = child_node(node, key)
            is_empty = isinstance(each, dict) and not each
            is_member = key not in node.properties or is_empty or not _is_inner(child, each)
            field_sets.add(result, f"f:{key}", fields_of(child, each), is_member=is_member)
    elif is_associative(node, value):
        for step, found in elements(node, value).items():
            inner = fields_of(items_node(node), found[0]) if len(found) == 1 else {}
            field_sets.add(result, step, inner, is_member=True)
    return result


def _is_inner(node: nodes.Node, value: Any) -> bool:
    return is_map(node, value) or is_associative(node, value)


# --- in what values differ


def compare(node: nodes.Node, old: Any, new: Any) -> Comparison:
    """Compare two values of a node."""
    result = Comparison({}, {}, {})
    if is_map(node, old) and is_map(node, new):
        for key in {**old, **new}:
            before, after = old.get(key, MISSING), new.get(key, MISSING)
            if before is MISSING or after is MISSING or not _is_same(before, after):
                is_named = key in node.properties
                _compare_step(
                    result, f"f:{key}", child_node(node, key), (before, after), is_member=not is_named
                )
    elif is_associative(node, old) and is_associative(node, new):
        before_by_step, after_by_step = elements(node, old), elements(node, new)
        for step in {**before_by_step, **after_by_step}:
            befores, afters = before_by_step.get(step, []), after_by_step.get(step, [])
            _compare_elements(result, step, items_node(node), befores, afters)
    return result


def _compare_elements(
    result: Comparison, step: str, node: nodes.Node, befores: list[Any], afters: list[Any]
) -> None:
    if len(befores) <= 1 and len(afters) <= 1:
        pair = (befores[0] if befores else MISSING, afters[0] if afters else MISSING)
        _compare_step(result, step, node, pair, is_member=True)
    elif not befores:
        field_sets.add(result.added, step, {}, is_member=True)
    elif not afters:
        field_sets.add(result.removed, step, {}, is_member=True)
    elif befores != afters:
        field_sets.add(result.modified, step, {}, is_member=True)


def _compare_step(
    result: Comparison, step: str, node: nodes.Node, pair: tuple[Any, Any], *, is_member: bool
) -> None:
    """`is_member` says whether the path itself is a field that comes and goes, besides what is below it."""
    old, new = pair
    if old is MISSING:
        inner = fields_of(node, new)
        field_sets.add(result.added, step, inner, is_member=is_member or not inner)
    elif new is MISSING:
        inner = fields_of(node, old)
        field_sets.add(result.removed, step, inner, is_member=is_member or not inner)
    elif _is_inner(node, old) and _is_inner(node, new) and (old or new) and type(old) is type(new):
        below = compare(node, old, new)
        for target, part in zip(result, below, strict=True):
            field_sets.add(target, step, part, is_member=False)
    elif not _is_same(old, new):
        field_sets.add(result.modified, step, {}, is_member=True)


def _is_same(old: Any, new: Any) -> bool:
    return old is new or (old == new and isinstance(old, bool) == isinstance(new, bool))


# --- values without some fields


def without(node: nodes.Node, value: Any, fields: FieldSet) -> Any:
    """
    The value without the given fields.

    Returns:
        `MISSING` when a map or list that had something has nothing left.
    """
    if not value or not fields:
        return value
    if isinstance(value, dict):
        if node.is_atomic_map:
            return MISSING
        kept = {}
        for key, each in value.items():
            if not field_sets.has(fields, f"f:{key}"):
                rest = _rest(child_node(node, key), each, field_sets.below(fields, f"f:{key}"))
                if rest is not MISSING:
                    kept[key] = rest
        return kept or MISSING
    if isinstance(value, list):
        if node.list_type == "atomic":
            return MISSING
        left = []
        for each in value:
            step = step_of(node, each)
            if not field_sets.has(fields, step):
                rest = _rest(items_node(node), each, field_sets.below(fields, step))
                left.append({} if rest is MISSING else rest)
        return left or MISSING
    return value


def _rest(node: nodes.Node, value: Any, fields: FieldSet) -> Any:
    return without(node, value, fields) if fields else value


def with_named(node: nodes.Node, fields: FieldSet) -> FieldSet:
    """The set with every path to a field that the schema names, so that emptied objects count as fields too."""
    result: FieldSet = {}
    for step, inner in fields.items():
        if step == field_sets.SELF:
            result[step] = inner
            continue
        kind, _, key = step.partition(":")
        is_named = kind == "f" and key in node.properties
        child = child_node(node, key) if kind == "f" else items_node(node)
        below = with_named(child, field_sets.below(fields, step))
        field_sets.add(result, step, below, is_member=is_named or field_sets.has(fields, step))
    return result
