"""
An applied configuration merged into an object: its values win, what it does not mention stays.

Elements of associative lists keep the order in which the configuration names them; those it does not name keep their
place relative to the ones it does.
"""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import nodes
from bookmesh.kube.schema.ownership import typed


def merge(node: nodes.Node, live: JsonObject, configuration: JsonObject) -> JsonObject:
    """
    Merge a configuration into an object; both share parts with the result.

    Raises:
        typed.ElementError: an element of a list cannot be told apart from another one.
    """
    merged: JsonObject = _merged(node, live, configuration)
    return merged


def _merged(node: nodes.Node, live: Any, wanted: Any) -> Any:
    if typed.is_map(node, wanted):
        if not isinstance(live, dict) or (not live and not wanted):
            live = {}
        result = dict(live)
        for key, each in wanted.items():
            result[key] = _merged(typed.child_node(node, key), live.get(key), each)
        return result
    if typed.is_associative(node, wanted):
        return _merged_list(node, live if isinstance(live, list) else [], wanted)
    return wanted


def _merged_list(node: nodes.Node, live: list[Any], wanted: list[Any]) -> list[Any]:
    there, items = typed.elements(node, live), typed.items_node(node)
    asked = {typed.step_of(node, each): each for each in wanted}
    if len(asked) < len(wanted):
        raise typed.ElementError(f"duplicate entries for key [{_duplicate(node, wanted)}]")

    def taken(step: str) -> Any:
        known = there.get(step, [])
        return _merged(items, known[0] if len(known) == 1 else None, asked[step])

    return [
        live[place] if isinstance(place, int) else taken(place)
        for place in _order([typed.step_of(node, each) for each in live], list(asked))
    ]


def _order(live: list[str], asked: list[str]) -> list[int | str]:
    """
    Order the elements of both lists: a number is the place in `live` of one that nobody asked for.

    Both lists are walked at once. What only `live` has is taken when the walk comes to it; what both have is taken
    in the order of `asked`, and the walk along `live` waits for the next of those.
    """
    waiting = [step for step in asked if step in set(live)]
    result: list[int | str] = []
    done: set[str] = set()
    left = right = 0
    while left < len(live) or right < len(asked):
        step = live[left] if left < len(live) else None
        if step is not None and step not in asked:
            result.append(left)
            left += 1
            continue
        if (
            step is not None
            and right < len(asked)
            and step != asked[right]
            and waiting
            and waiting[0] != step
        ):
            left += 1
            continue
        is_same = right < len(asked) and step == asked[right]
        if step is not None and (is_same or step in done):
            left += 1
        if right < len(asked):
            result.append(asked[right])
            done.add(asked[right])
            if waiting and waiting[0] == asked[right]:
                waiting.pop(0)
            right += 1
    return result


def _duplicate(node: nodes.Node, values: list[Any]) -> str:
    seen: set[str] = set()
    for step in (typed.step_of(node, each) for each in values):
        if step in seen:
            return step.partition(":")[2]
        seen.add(step)
    return ""
