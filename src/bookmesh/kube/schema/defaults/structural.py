"""Custom objects: the `default`s in their schema."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.kube.schema import nodes


def fill_object(node: nodes.Node, value: Any) -> None:
    """Fill every level of `value`, defaults of defaults included. A null that is not allowed counts as absent."""
    if isinstance(value, dict):
        for key in node.properties:
            _fill_field(node, value, key)
        for key, each in value.items():
            child = node.child(key)
            if child is not None:
                fill_object(child, each)
    elif isinstance(value, list) and node.items is not None:
        for each in value:
            fill_object(node.items, each)


def _fill_field(node: nodes.Node, value: JsonObject, key: str) -> None:
    child = node.child(key)
    if child is None or child.default is None:
        return
    if key not in value or (value[key] is None and not child.is_nullable):
        value[key] = copy_json({key: child.default})[key]
