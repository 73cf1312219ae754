"""
`allOf`, `anyOf`, `oneOf` and `not`, as structural schemas of CRDs use them.

Inside them only value constraints may stand (required, enum, pattern, bounds, nested properties); types and defaults
are said outside, once.
"""

from __future__ import annotations

from typing import Any

from bookmesh.kube.schema import causes, nodes
from bookmesh.kube.schema.causes import Cause


def check(node: nodes.Node, value: Any, path: str) -> list[Cause]:
    """Return what is wrong with `value` by the combinators of `node` itself."""
    found: list[Cause] = []
    if node.any_of and not any(matches(each, value) for each in node.any_of):
        found.append(_mismatch(path, "at least one schema (anyOf)"))
    if node.one_of:
        count = sum(matches(each, value) for each in node.one_of)
        if count != 1:
            reason = "Found none valid" if count == 0 else f"Found {count} valid alternatives"
            found.append(_mismatch(path, f"one and only one schema (oneOf). {reason}"))
    if not all(matches(each, value) for each in node.all_of):
        found.append(_mismatch(path, "all the schemas (allOf)"))
    if node.negated is not None and matches(node.negated, value):
        found.append(causes.invalid(path, "", f'"{path}" must not validate the schema (not)'))
    return found


def matches(node: nodes.Node, value: Any) -> bool:
    """Say whether `value` satisfies the value constraints of `node`, nested ones included."""
    return (
        (not node.enum or value in node.enum)
        and _matches_type(node, value)
        and _matches_text(node, value)
        and _matches_number(node, value)
        and _matches_size(node, value)
        and _matches_children(node, value)
        and not check(node, value, "")
    )


def _matches_type(node: nodes.Node, value: Any) -> bool:
    return not node.type or causes.type_name(value) in (
        node.type,
        "integer" if node.type == "number" else node.type,
    )


def _matches_text(node: nodes.Node, value: Any) -> bool:
    if not isinstance(value, str):
        return True
    lowest, highest = node.limit("minLength"), node.limit("maxLength")
    return (
        (node.pattern is None or node.pattern.search(value) is not None)
        and (lowest is None or len(value) >= lowest)
        and (highest is None or len(value) <= highest)
    )


def _matches_number(node: nodes.Node, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return True
    lowest, highest = node.limit("minimum"), node.limit("maximum")
    return (lowest is None or value >= lowest) and (highest is None or value <= highest)


def _matches_size(node: nodes.Node, value: Any) -> bool:
    if not isinstance(value, (dict, list)):
        return True
    noun = "Properties" if isinstance(value, dict) else "Items"
    lowest, highest = node.limit(f"min{noun}"), node.limit(f"max{noun}")
    return (lowest is None or len(value) >= lowest) and (highest is None or len(value) <= highest)


def _matches_children(node: nodes.Node, value: Any) -> bool:
    if isinstance(value, dict):
        if any(name not in value for name in node.required):
            return False
        nested = ((node.child(key), each) for key, each in value.items())
        return all(child is None or matches(child, each) for child, each in nested)
    if isinstance(value, list) and node.items is not None:
        return all(matches(node.items, each) for each in value)
    return True


def _mismatch(path: str, what: str) -> Cause:
    return causes.invalid(path, "", f'"{path}" must validate {what}')
