"""
Unknown fields: find them, or drop them.

A real API server drops what a kind's schema does not know, and lets the client choose whether that is an error, a
warning or nothing (`fieldValidation`). Messages are the API's business; here are the paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import kinds, nodes, schemas


def unknown_fields(known: schemas.Schemas, kind: kinds.Kind, obj: JsonObject) -> list[str]:
    """Return the paths of fields the schema does not know, such as `spec.containers[0].imagee`, in document order."""
    root = known.root(kind.group, kind.version, kind.kind)
    return [path for path, _, _ in _unknown(root, obj, "", known)]


def prune(known: schemas.Schemas, kind: kinds.Kind, obj: JsonObject) -> None:
    """
    Drop unknown fields in place, as decoding does on a real server.

    Nulls of built-in kinds are absent fields and go too. In custom objects they stay where they are allowed, or will be
    defaulted.
    """
    root = known.root(kind.group, kind.version, kind.kind)
    for _, parent, key in list(_unknown(root, obj, "", known)):
        del parent[key]
    if kind.is_custom:
        _drop_nulls_not_allowed(root, obj)
    else:
        _drop_nulls(root, obj)


def _unknown(
    node: nodes.Node, value: Any, path: str, known: schemas.Schemas
) -> Iterator[tuple[str, JsonObject, str]]:
    if isinstance(value, dict):
        embedded = node.is_embedded_resource
        for key, each in value.items():
            where = f"{path}.{key}" if path else key
            child = node.child(key)
            if embedded and key == "metadata":
                yield from _unknown(known.definition(schemas.OBJECT_META), each, where, known)
            elif child is not None:
                if isinstance(each, (dict, list)):
                    yield from _unknown(child, each, where, known)
            elif not (node.is_open or (embedded and key in ("apiVersion", "kind"))):
                yield where, value, key
    elif isinstance(value, list) and node.items is not None:
        for index, each in enumerate(value):
            if isinstance(each, (dict, list)):
                yield from _unknown(node.items, each, f"{path}[{index}]", known)


def _drop_nulls(node: nodes.Node, value: Any) -> None:
    if isinstance(value, dict):
        for key in [key for key, each in value.items() if each is None]:
            child = node.child(key)
            if key in node.required and child is not None and child.type == "array":
                value[key] = []  # how Go clients write an empty list
            elif key in node.properties:
                del value[key]
            elif child is not None and child.is_quantity:
                value[key] = "0"
            elif child is not None and child.type == "string":
                value[key] = ""  # decoding null into a Go map of strings makes an empty string
        for key, each in value.items():
            child = node.child(key)
            if child is not None and isinstance(each, (dict, list)):
                _drop_nulls(child, each)
    elif isinstance(value, list) and node.items is not None:
        for each in value:
            _drop_nulls(node.items, each)


def _drop_nulls_not_allowed(node: nodes.Node, value: Any) -> None:
    """Items of lists stay, whatever they are; so does what the schema says nothing about."""
    if isinstance(value, dict):
        for key, each in list(value.items()):
            child = node.child(key)
            if child is None:
                continue
            if each is None and not child.is_nullable and child.default is None:
                del value[key]
            else:
                _drop_nulls_not_allowed(child, each)
    elif isinstance(value, list) and node.items is not None:
        for each in value:
            _drop_nulls_not_allowed(node.items, each)
