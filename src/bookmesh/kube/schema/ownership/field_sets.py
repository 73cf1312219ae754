"""
Sets of field paths, in the very form in which `managedFields` stores them (`FieldsV1`).

A set is a tree of dicts. Keys are steps: `f:name` a field, `k:{...}` the element of a list with these keys, `v:...` an
element of a set, and `.` for "this path itself". A leaf is `{}` and is in the set; an inner path is in it only when it
has the key `.`. The empty set is `{}` too: at the root, and there only, an empty dict means "nothing". No function
changes what it is given; results may share parts with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import orjson

FieldSet: TypeAlias = dict[str, Any]

SELF: Final = "."


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """Every path that is in one of them."""
    if not right or left is right:
        return left
    result = dict(left)
    for step, theirs in right.items():
        ours = result.get(step)
        result[step] = theirs if ours is None else _node(_merged(ours, theirs), _has(ours) or _has(theirs))
    return result


def _merged(ours: FieldSet, theirs: FieldSet) -> FieldSet:
    return union(_below(ours), _below(theirs))


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """The paths of `left` that are not in `right`; a path in `right` does not stand for those below it."""
    if not right:
        return left
    result: FieldSet = {}
    for step, ours in left.items():
        theirs = right.get(step)
        if theirs is None:
            result[step] = ours
        else:
            _put(result, step, difference(_below(ours), _below(theirs)), _has(ours) and not _has(theirs))
    return result


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """The paths that are in both."""
    result: FieldSet = {}
    for step, ours in left.items():
        theirs = right.get(step)
        if theirs is not None:
            _put(result, step, intersection(_below(ours), _below(theirs)), _has(ours) and _has(theirs))
    return result


def has(fields: FieldSet, step: str) -> bool:
    """Whether the path of one step is in the set."""
    return step in fields and _has(fields[step])


def below(fields: FieldSet, step: str) -> FieldSet:
    """The set of what is below one step, relative to it."""
    return _below(fields.get(step) or {})


def add(fields: FieldSet, step: str, children: FieldSet, *, is_member: bool) -> None:
    """Put a step and what is below it into a set under construction, in place of what is there."""
    _put(fields, step, children, is_member)


def paths(fields: FieldSet) -> list[str]:
    """The paths as people read them, such as `.spec.containers[name="web"].image`, in order."""
    return sorted(_paths(fields, ""))


def _paths(fields: FieldSet, prefix: str) -> Iterator[str]:
    for step, child in fields.items():
        where = prefix + _text(step)
        if _has(child):
            yield where
        yield from _paths(_below(child), where)


def _text(step: str) -> str:
    kind, _, rest = step.partition(":")
    if kind == "k":
        pairs = orjson.loads(rest).items()
        return "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in pairs) + "]"
    return f"[={rest}]" if kind == "v" else f".{rest}" if kind == "f" else f"[{rest}]"


def ordered(fields: FieldSet) -> FieldSet:
    """The same set with its steps in order, as it is stored."""
    return {step: ordered(fields[step]) for step in sorted(fields)}


def _has(node: FieldSet) -> bool:
    return not node or SELF in node


def _below(node: FieldSet) -> FieldSet:
    return {step: child for step, child in node.items() if step != SELF} if SELF in node else node


def _node(children: FieldSet, is_member: bool) -> FieldSet:
    return {SELF: {}, **children} if is_member and children else children


def _put(result: FieldSet, step: str, children: FieldSet, is_member: bool) -> None:
    if children or is_member:
        result[step] = _node(children, is_member)
