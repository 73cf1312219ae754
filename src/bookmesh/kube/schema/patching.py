"""
The three kinds of patch a client may send. Inputs are never mutated; results may share parts with them.

JSON patch is RFC 6902, merge patch RFC 7386; strategic merge patch has a file of its own.
"""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.kube.schema import kinds, schemas, strategic_merge
from bookmesh.kube.schema.errors import PatchError

__all__ = ["PatchError", "apply_json_patch", "apply_merge_patch", "apply_strategic_merge_patch"]


def apply_merge_patch(current: JsonObject, patch: Any) -> JsonObject:
    """
    Merge objects field by field; null removes, a list replaces.

    Raises:
        PatchError: the patch is not an object.
    """
    if not isinstance(patch, dict):
        raise PatchError("a merge patch must be a JSON object")
    return _merged(current, patch)


def _merged(current: Any, patch: JsonObject) -> JsonObject:
    result = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = _merged(result.get(key), value)
        else:
            result[key] = value
    return result


def apply_strategic_merge_patch(
    known: schemas.Schemas, kind: kinds.Kind, current: JsonObject, patch: Any
) -> JsonObject:
    """
    Merge as `kubectl apply` and `kubectl patch` want it for built-in kinds: lists by their merge keys.

    Raises:
        PatchError: the patch is not an object, or a directive in it makes no sense.
    """
    if not isinstance(patch, dict):
        raise PatchError("a strategic merge patch must be a JSON object")
    return strategic_merge.merge(known.root(kind.group, kind.version, kind.kind), current, patch)


def apply_json_patch(current: JsonObject, patch: Any) -> JsonObject:
    """
    Apply the operations in order, all or none.

    Raises:
        PatchError: the patch is malformed, a path does not exist, or a `test` does not hold.
    """
    if not isinstance(patch, list):
        raise PatchError("a JSON patch must be a list of operations")
    document: Any = copy_json(current)
    for operation in patch:
        document = _operated(document, operation)
    if not isinstance(document, dict):
        raise PatchError("the patch does not leave a JSON object")
    return document


def _operated(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise PatchError("each operation of a JSON patch needs an op and a path")
    name, path = operation.get("op"), _steps(operation["path"])
    if name in ("add", "replace", "test"):
        if "value" not in operation:
            raise PatchError(f"operation {name} {operation['path']} needs a value")
        value = _copied(operation["value"])
    elif name in ("move", "copy"):
        if not isinstance(operation.get("from"), str):
            raise PatchError(f"operation {name} {operation['path']} needs from")
        source = _steps(operation["from"])
        if name == "move" and source == path[: len(source)] and source != path:
            raise PatchError(f"cannot move {operation['from']} into itself")
        value = _copied(_found(document, source))
        if name == "move":
            document = _removed(document, source)
    elif name == "remove":
        return _removed(document, path)
    else:
        raise PatchError(f'unexpected kind of operation: "{name}"')
    if name == "test":
        if not _equal(_found(document, path), value):
            raise PatchError(f"testing value {operation['path']} failed")
        return document
    return _placed(document, path, value, is_replace=name == "replace")


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise PatchError(f'path "{path}" does not start with /')
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _found(document: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list):
            document = document[_index(step, len(document) - 1)]
        else:
            raise PatchError(f"path /{'/'.join(path)} does not exist")
    return document


def _index(step: str, last: int) -> int:
    if not (step.isascii() and step.isdigit()) or (len(step) > 1 and step[0] == "0") or int(step) > last:
        raise PatchError(f'index "{step}" does not exist')
    return int(step)


def _removed(document: Any, path: list[str]) -> Any:
    _found(document, path)
    if not path:
        return None
    parent = _found(document, path[:-1])
    if isinstance(parent, list):
        del parent[_index(path[-1], len(parent) - 1)]
    else:
        del parent[path[-1]]
    return document


def _placed(document: Any, path: list[str], value: Any, *, is_replace: bool) -> Any:
    if not path:
        return value
    if is_replace:
        _found(document, path)
    parent, step = _found(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[step] = value
    elif not isinstance(parent, list):
        raise PatchError(f"path /{'/'.join(path)} does not exist")
    elif is_replace:
        parent[_index(step, len(parent) - 1)] = value
    else:
        parent.insert(len(parent) if step == "-" else _index(step, len(parent)), value)
    return document


def _copied(value: Any) -> Any:
    return copy_json({"value": value})["value"]


def _equal(left: Any, right: Any) -> bool:
    """Compare as JSON does: true is not 1, although Python says so."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
