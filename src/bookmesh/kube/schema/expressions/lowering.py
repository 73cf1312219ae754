"""
Expressions in all of the language's syntax, written in the part of it that the engine has.

Optional fields become calls (`runtime`), macros with two names go over pairs, `cel.bind` is a `map` over one value, and
structures are maps.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Final

from bookmesh.kube.schema.expressions import macros, tree
from bookmesh.kube.schema.expressions.tree import Tree

_Names = Mapping[str, str]
_ALIASES: Final = {"existsOne": "exists_one"}


def lower(expression: Tree) -> str:
    """Write an expression for the engine."""
    return _Lowering().text(expression, {})


class _Lowering:
    """One expression; `names` maps names of macros to what stands for them."""

    def __init__(self) -> None:
        self._counter = itertools.count(1)

    def text(self, found: Tree, names: _Names) -> str:
        if isinstance(found, tree.Literal):
            return found.text
        if isinstance(found, tree.Name):
            return names.get(found.name, found.name)
        if isinstance(found, tree.Select):
            return self._select(found, names)
        if isinstance(found, tree.Index):
            return self._index(found, names)
        if isinstance(found, tree.Operation):
            return self._operation(found, names)
        if isinstance(found, tree.Call):
            return self._call(found, names)
        if isinstance(found, tree.ListOf):
            return self._list(found, names)
        entries = (
            ((json.dumps(name), value) for name, value in found.fields)
            if isinstance(found, tree.Struct)
            else ((self.text(key, names), value) for key, value in found.entries)
        )
        return self._map(entries, names)

    def _select(self, found: tree.Select, names: _Names) -> str:
        operand = self.text(found.operand, names)
        if is_optional(found.operand) or (found.is_optional and not _is_path(found.operand)):
            return f"bookmesh_field({operand}, {json.dumps(found.field)})"
        plain = f"{operand}.{found.field}"
        return f"(has({plain}) ? optional.of({plain}) : optional.none())" if found.is_optional else plain

    def _index(self, found: tree.Index, names: _Names) -> str:
        operand, key = self.text(found.operand, names), self.text(found.key, names)
        if found.is_optional or is_optional(found.operand):
            return f"bookmesh_field({operand}, {key})"
        return f"{operand}[{key}]"

    def _operation(self, found: tree.Operation, names: _Names) -> str:
        operands = [self.text(each, names) for each in found.operands]
        if found.operator == "?:":
            return f"({operands[0]} ? {operands[1]} : {operands[2]})"
        if len(operands) == 1:
            return f"({found.operator[0]}{operands[0]})"
        return f"({operands[0]} {found.operator} {operands[1]})"

    def _call(self, found: tree.Call, names: _Names) -> str:
        if macro := macros.macro_of(found):
            return self._macro(macro, names)
        if asked := macros.presence_of(found):
            return self._presence(asked, names)
        arguments = [self.text(each, names) for each in found.arguments]
        if found.function == "size" and len(arguments) + (found.target is not None) == 1:
            measured = arguments[0] if found.target is None else self.text(found.target, names)
            return f"bookmesh_length({measured})"
        called = f"{found.function}({', '.join(arguments)})"
        return called if found.target is None else f"{self.text(found.target, names)}.{called}"

    def _presence(self, asked: tree.Select, names: _Names) -> str:
        if is_optional(asked.operand):
            return f"{self._select(asked, names)}.hasValue()"
        return f"has({self.text(asked.operand, names)}.{asked.field})"

    def _macro(self, found: macros.Macro, names: _Names) -> str:
        over = self.text(found.over, names)
        if len(found.names) == 2:
            return self._macro_of_pairs(found, over, names)
        name = f"it__{next(self._counter)}"
        # The engine's macros unwrap elements that are optional: what is bound is kept in a list of its own.
        bound = f"{name}[0]" if found.function == "bind" else name
        bodies = [self.text(each, {**names, found.names[0]: bound}) for each in found.bodies]
        if found.function == "bind":
            return f"[[{over}]].map({name}, {bodies[0]})[0]"
        if found.function == "sortBy":
            return f"bookmesh_sorted({over}.map({name}, [{name}, {bodies[0]}]))"
        if found.function == "optMap":
            return f"bookmesh_optional(bookmesh_values({over}).map({name}, {bodies[0]}))"
        if found.function == "optFlatMap":
            lists = f"bookmesh_values({over}).map({name}, bookmesh_values({bodies[0]}))"
            return f"bookmesh_optional(bookmesh_first({lists}))"
        function = _ALIASES.get(found.function, found.function)
        return f"{over}.{function}({', '.join([name, *bodies])})"

    def _macro_of_pairs(self, found: macros.Macro, over: str, names: _Names) -> str:
        pair = f"it__{next(self._counter)}"
        bound = {**names, found.names[0]: f"{pair}[0]", found.names[1]: f"{pair}[1]"}
        *choices, body = [self.text(each, bound) for each in found.bodies]
        pairs = f"bookmesh_pairs({over})"
        if choices:
            pairs += f".filter({pair}, {choices[0]})"
        if found.function == "transformList":
            return f"{pairs}.map({pair}, {body})"
        if found.function == "transformMap":
            return f"bookmesh_map({pairs}.map({pair}, [{pair}[0], [{body}]]))"
        if found.function == "transformMapEntry":
            return f"bookmesh_merged({pairs}.map({pair}, {body}))"
        return f"{pairs}.{_ALIASES.get(found.function, found.function)}({pair}, {body})"

    def _list(self, found: tree.ListOf, names: _Names) -> str:
        if not any(each.is_optional for each in found.elements):
            return "[" + ", ".join(self.text(each.value, names) for each in found.elements) + "]"
        return "(" + " + ".join(self._values(each, names) for each in found.elements) + ")"

    def _map(self, entries: Iterable[tuple[str, tree.Element]], names: _Names) -> str:
        listed = list(entries)
        if not any(value.is_optional for _, value in listed):
            return "{" + ", ".join(f"{key}: {self.text(value.value, names)}" for key, value in listed) + "}"
        return (
            "bookmesh_map(["
            + ", ".join(f"[{key}, {self._values(value, names)}]" for key, value in listed)
            + "])"
        )

    def _values(self, element: tree.Element, names: _Names) -> str:
        text = self.text(element.value, names)
        return f"bookmesh_values({text})" if element.is_optional else f"[{text}]"


def is_optional(found: Tree) -> bool:
    """Whether a chain of fields is optional: after one that is, all are."""
    return isinstance(found, tree.Select | tree.Index) and (found.is_optional or is_optional(found.operand))


def _is_path(found: Tree) -> bool:
    return isinstance(found, tree.Name) or (isinstance(found, tree.Select) and _is_path(found.operand))
