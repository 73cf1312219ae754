"""Macros: calls whose arguments are no values, but names that they bind and expressions about them."""

from __future__ import annotations

from typing import Final, NamedTuple

from bookmesh.kube.schema.expressions import tree
from bookmesh.kube.schema.expressions.tree import Tree

_ONE_NAME: Final = {"all": (2,), "exists": (2,), "exists_one": (2,), "existsOne": (2,), "filter": (2,)} | {
    "map": (2, 3),
    "optMap": (2,),
    "optFlatMap": (2,),
    "sortBy": (2,),
}
_TWO_NAMES: Final = {"all": (3,), "exists": (3,), "exists_one": (3,), "existsOne": (3,)} | {
    "transformList": (3, 4),
    "transformMap": (3, 4),
    "transformMapEntry": (3, 4),
}


class Macro(NamedTuple):
    """
    A macro over `over`, which binds `names` in `bodies`.

    The last body is what becomes of each element; one before it chooses elements.
    """

    function: str
    over: Tree
    names: tuple[str, ...]
    bodies: tuple[Tree, ...]


def macro_of(call: tree.Call) -> Macro | None:
    """Recognize a macro other than `has`."""
    arguments = call.arguments
    if call.function == "bind" and call.target == tree.Name("cel", _at(call.target)) and len(arguments) == 3:
        name, value, body = arguments
        return Macro("bind", value, (name.name,), (body,)) if isinstance(name, tree.Name) else None
    if call.target is None:
        return None
    for table, count in ((_TWO_NAMES, 2), (_ONE_NAME, 1)):
        names = tuple(each.name for each in arguments[:count] if isinstance(each, tree.Name))
        if len(arguments) in table.get(call.function, ()) and len(names) == count:
            return Macro(call.function, call.target, names, arguments[count:])
    return None


def presence_of(call: tree.Call) -> tree.Select | None:
    """What `has(operand.field)` asks for; None for other calls."""
    is_has = call.function == "has" and call.target is None and len(call.arguments) == 1
    asked = call.arguments[0] if is_has else None
    return asked if isinstance(asked, tree.Select) else None


def _at(found: Tree | None) -> int:
    return found.at if found is not None else 0
