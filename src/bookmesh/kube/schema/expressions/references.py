"""What an expression refers to, and whether that exists: variables, functions, and fields of values with a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from bookmesh.kube.schema import nodes, rule_values
from bookmesh.kube.schema.expressions import macros, tree
from bookmesh.kube.schema.expressions.tree import Tree

_Known = Mapping[str, nodes.Node | None]
_SIMPLE: Final = {"string": "string", "integer": "int", "number": "double", "array": "list", "object": "map"}


class Problem(NamedTuple):
    """Something that does not exist, in cel-go's words."""

    at: int
    text: str

    def shown(self, source: str) -> str:
        """The message with its place in the text."""
        before = source[: self.at]
        line, column = before.count("\n") + 1, self.at - before.rfind("\n")
        quoted = source.split("\n")[line - 1]
        return f"ERROR: <input>:{line}:{column}: {self.text}\n | {quoted}\n | {'.' * (column - 1)}^"


def names_of(found: Tree, bound: frozenset[str] = frozenset()) -> Iterator[tree.Name]:
    """Every name that no macro around it binds, in no certain order."""
    if isinstance(found, tree.Name):
        if found.name not in bound:
            yield found
    elif isinstance(found, tree.Call) and (macro := macros.macro_of(found)):
        yield from names_of(macro.over, bound)
        for body in macro.bodies:
            yield from names_of(body, bound | set(macro.names))
    else:
        for part in tree.parts_of(found):
            yield from names_of(part, bound)


class Types:
    """
    One walk, which finds out the node of every part of an expression: None where that is not known.

    What comes out of functions, and values whose schema is open, are not known and not looked into.
    """

    def __init__(self, *, is_plain: bool = False) -> None:
        """`is_plain` says that fields have their own names; else those that are no identifiers are escaped."""
        self.problems: list[Problem] = []
        self._is_plain = is_plain

    def node_of(self, found: Tree, known: _Known) -> nodes.Node | None:
        """`known` are variables with the node of their value."""
        if isinstance(found, tree.Name):
            return known.get(found.name)
        if isinstance(found, tree.Select):
            return self._field(found, self.node_of(found.operand, known))
        if isinstance(found, tree.Index):
            self.node_of(found.key, known)
            return _element(self.node_of(found.operand, known))
        if isinstance(found, tree.Call):
            return self._call(found, known)
        of_parts = [self.node_of(part, known) for part in tree.parts_of(found)]
        if isinstance(found, tree.Operation) and found.operator == "?:" and of_parts[1] is of_parts[2]:
            return of_parts[1]
        return None

    def _call(self, found: tree.Call, known: _Known) -> nodes.Node | None:
        if macro := macros.macro_of(found):
            return self._macro(macro, known)
        target = self.node_of(found.target, known) if found.target is not None else None
        for argument in found.arguments:
            self.node_of(argument, known)
        return target if found.function in ("orValue", "or", "value") else None

    def _macro(self, macro: macros.Macro, known: _Known) -> nodes.Node | None:
        over = self.node_of(macro.over, known)
        bound: dict[str, nodes.Node | None] = dict.fromkeys(macro.names)
        if macro.function in ("bind", "optMap", "optFlatMap"):
            bound[macro.names[0]] = over
        elif len(macro.names) == 2 or (over is not None and over.type == "array"):
            bound[macro.names[-1]] = _element(over)
        of_bodies = [self.node_of(body, {**known, **bound}) for body in macro.bodies]
        if macro.function in ("filter", "sortBy"):
            return over
        return of_bodies[-1] if macro.function in ("bind", "optMap", "optFlatMap") else None

    def _field(self, found: tree.Select, owner: nodes.Node | None) -> nodes.Node | None:
        if owner is None or not owner.type:
            return None
        if owner.is_int_or_string or (owner.type == "object" and not owner.properties):
            return owner.additional
        if owner.type != "object":
            kind = _SIMPLE.get(owner.type, owner.type)
            self.problems.append(Problem(found.at, f"type '{kind}' does not support field selection"))
            return None
        for name in owner.properties:
            if (name if self._is_plain else rule_values.escaped(name)) == found.field:
                return owner.child(name)
        self.problems.append(Problem(found.at, f"undefined field '{found.field}'"))
        return None


def _element(node: nodes.Node | None) -> nodes.Node | None:
    if node is None:
        return None
    return node.items if node.type == "array" else node.additional
