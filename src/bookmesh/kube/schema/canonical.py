"""Bring the quantities of a built-in object into the form in which servers store them."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import kinds, nodes, quantities, schemas


def rewrite_quantities(known: schemas.Schemas, kind: kinds.Kind, obj: JsonObject) -> None:
    """Rewrite them in place; those of custom kinds stay as they were written, since to a server they are texts."""
    if not kind.is_custom:
        _rewrite(known.root(kind.group, kind.version, kind.kind), obj)


def _is_quantity(node: nodes.Node) -> bool:
    return node.is_quantity


def _rewrite(node: nodes.Node, value: Any) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            child = node.child(key)
            if child is None:
                continue
            if child.is_quantity:
                if each is not None:
                    value[key] = quantities.canonical(each)
            elif isinstance(each, (dict, list)) and child.any_below(_is_quantity):
                _rewrite(child, each)
    elif isinstance(value, list) and node.items is not None:
        for each in value:
            _rewrite(node.items, each)
