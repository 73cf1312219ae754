"""
Strategic merge patch: merge an object field by field, lists of objects by the merge key their schema names.

Directives in a patch: `$patch: replace | delete` on an object or a list element, `$retainKeys` on an object,
`$setElementOrder/<list>` and `$deleteFromPrimitiveList/<list>` beside a list. The reference is the implementation in
kubectl; `tests/clients` compares with it. Three of its habits are not obvious: without `$setElementOrder` a merged
list is still ordered by the patch, so that new elements come first; elements that a patch puts in place of deleted
ones count as known to the server; and an object with `$patch` for which there is none yet comes to nothing. In one
thing we differ: directives inside brand-new list elements are carried out, not stored.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import nodes
from bookmesh.kube.schema.errors import PatchError

_PATCH: Final = "$patch"
_RETAIN: Final = "$retainKeys"
_ORDER: Final = "$setElementOrder/"
_REMOVE: Final = "$deleteFromPrimitiveList/"

_List = list[Any]


def merge(node: nodes.Node | None, current: JsonObject, patch: JsonObject) -> JsonObject:
    """Merge `patch` into `current`, both values of `node` (None where the schema is open); raises `PatchError`."""
    directive = patch.get(_PATCH)
    if directive == "replace":
        return merge(node, {}, {key: value for key, value in patch.items() if key != _PATCH})
    if directive == "delete":
        return {}
    if directive is not None:
        raise PatchError(f"unknown patch type: {directive} found in an object")
    result = _retained(current, patch)
    ordered = {key.removeprefix(_ORDER): value for key, value in patch.items() if key.startswith(_ORDER)}
    for key, value in patch.items():
        if key.startswith(_REMOVE):
            _remove_values(result, key.removeprefix(_REMOVE), value)
        elif key.startswith(_ORDER) or key == _RETAIN:
            continue
        elif value is None or (_is_directed(value) and not isinstance(result.get(key), dict)):
            result.pop(key, None)
        else:
            child = node.child(key) if node else None
            result[key] = _merged(child, result.get(key), value, order=ordered.pop(key, None))
    for key, order in ordered.items():  # lists whose elements stay what they are
        if key in result:
            child = node.child(key) if node else None
            result[key] = _merged(child, result[key], [], order=order)
    return result


def _is_directed(value: Any) -> bool:
    return isinstance(value, dict) and _PATCH in value


def _retained(current: JsonObject, patch: JsonObject) -> JsonObject:
    retain = patch.get(_RETAIN)
    if retain is None:
        return dict(current)
    if not isinstance(retain, list):
        raise PatchError(f"{_RETAIN} must be a list")
    for key in patch:
        if not key.startswith("$") and key not in retain:
            raise PatchError(f"{_RETAIN} does not contain {key}, which the patch sets")
    return {key: value for key, value in current.items() if key in retain}


def _remove_values(result: JsonObject, key: str, values: Any) -> None:
    if not isinstance(values, list):
        raise PatchError(f"{_REMOVE}{key} must be a list")
    if isinstance(result.get(key), list):
        result[key] = [value for value in result[key] if value not in values]


def _merged(node: nodes.Node | None, current: Any, value: Any, *, order: Any) -> Any:
    if isinstance(value, dict):
        if node is not None and "replace" in node.patch_strategies:
            current = None
        return merge(node, current if isinstance(current, dict) else {}, value)
    if not isinstance(value, list):
        return value
    if node is None or "merge" not in node.patch_strategies:
        return [_fresh(node.items if node else None, each) for each in value] if order is None else current
    known = current if isinstance(current, list) else []
    if order is not None and not isinstance(order, list):
        raise PatchError(f"{_ORDER} must be a list")
    if any(isinstance(each, dict) for each in (*known, *value)):
        return _merged_objects(node, known, value, order)
    return _merged_values(known, value, order)


def _fresh(node: nodes.Node | None, value: Any) -> Any:
    """Carry out the directives inside something that replaces whatever was there."""
    return merge(node, {}, value) if isinstance(value, dict) else value


def _merged_values(current: _List, patch: _List, order: _List | None) -> _List:
    merged = list({_identity(value): value for value in (*current, *patch)}.values())
    arranged = _arranged(merged, by=patch, server=current, key=_identity)
    if order is None:
        return arranged
    _check_order(patch, order, _identity)
    return _arranged(arranged, by=order, server=current, key=_identity)


def _merged_objects(node: nodes.Node, current: _List, patch: _List, order: _List | None) -> _List:
    merge_key = node.patch_merge_key
    if merge_key is None:
        raise PatchError("cannot merge lists of objects without a merge key")
    key = _key_by(merge_key)
    kept, elements, is_replaced = _without_special(current, patch, key)
    merged = list(kept)
    if is_replaced:
        merged, elements = [_fresh(node.items, each) for each in elements], []
    added: _List = []
    places = {key(each): index for index, each in reversed(list(enumerate(merged)))}
    for each in elements:
        index = places.get(key(each))
        if index is not None:
            merged[index] = merge(node.items, merged[index], each)
        else:
            places[key(each)] = len(merged)
            merged.append(merge(node.items, {}, each))
            added.append(merged[-1])
    arranged = _arranged(merged, by=elements, server=kept, key=key)
    if order is None:
        return arranged
    _check_order(elements, order, key)
    server = [*kept, *added[: len(current) - len(kept)]]
    return _arranged(arranged, by=order, server=server, key=key)


def _without_special(
    current: _List, patch: _List, key: Callable[[Any], Hashable]
) -> tuple[_List, _List, bool]:
    """Return what the directives leave of `current`, the elements of `patch` without directives, and `replace`."""
    kept, elements, is_replaced = list(current), [], False
    for each in patch:
        directive = each.get(_PATCH) if isinstance(each, dict) else None
        if directive is None:
            elements.append(each)
        elif directive == "delete":
            gone = key(each)
            kept = [item for item in kept if key(item) != gone]
        elif directive == "replace":
            is_replaced = True
        else:
            raise PatchError(f"unknown patch type: {directive} found in a list")
    return ([] if is_replaced else kept), elements, is_replaced


def _check_order(elements: _List, order: _List, key: Callable[[Any], Hashable]) -> None:
    """Refuse an order that does not name the elements of the patch in the patch's own order."""
    rest = iter([key(each) for each in order])
    if not all(key(each) in rest for each in elements):
        raise PatchError(
            f"the order of elements in the patch does not match {_ORDER}: {elements} against {order}"
        )


def _key_by(merge_key: str) -> Callable[[Any], Hashable]:
    def key(element: Any) -> Hashable:
        if not isinstance(element, dict) or merge_key not in element:
            raise PatchError(f"an element of a list has no merge key {merge_key}: {element}")
        return _identity(element[merge_key])

    return key


def _identity(value: Any) -> Hashable:
    """Make JSON values comparable and hashable, telling true, 1 and "1" apart."""
    return orjson.dumps(value)


def _arranged(merged: _List, *, by: Iterable[Any], server: _List, key: Callable[[Any], Hashable]) -> _List:
    """
    Put the elements that `by` names in its order, the others in the order of `server`, and zip the two together.

    One that `by` does not name goes in front of one it does only when the server knows both and had it in front.
    """
    wanted = _positions(by, key)
    known = _positions(server, key)
    named = sorted((each for each in merged if key(each) in wanted), key=lambda each: wanted[key(each)])
    others = [each for each in merged if key(each) not in wanted]
    others.sort(key=lambda each: known.get(key(each), -1))
    result: _List = []
    left, right = 0, 0
    while left < len(others) and right < len(named):
        before, after = known.get(key(others[left])), known.get(key(named[right]))
        if before is not None and after is not None and before < after:
            result.append(others[left])
            left += 1
        else:
            result.append(named[right])
            right += 1
    return [*result, *others[left:], *named[right:]]


def _positions(elements: Iterable[Any], key: Callable[[Any], Hashable]) -> dict[Hashable, int]:
    positions: dict[Hashable, int] = {}
    for index, each in enumerate(elements):
        positions.setdefault(key(each), index)
    return positions
