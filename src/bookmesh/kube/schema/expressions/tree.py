"""What an expression is made of. Immutable; `at` is the offset in the text: of the dot or bracket, if there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, bytes, true, false or null, as it was written."""

    text: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or a name that a macro binds."""

    name: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `operand.?field`."""

    operand: Tree
    field: str
    is_optional: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Index:
    """`operand[key]`, or `operand[?key]`."""

    operand: Tree
    key: Tree
    is_optional: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`, or with a target `target.function(arguments)`; macros are calls too."""

    function: str
    arguments: tuple[Tree, ...]
    target: Tree | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a list or the value of an entry; with a `?` before it, it is there only if its value is."""

    value: Tree
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    elements: tuple[Element, ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class MapOf:
    entries: tuple[tuple[Tree, Element], ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Struct:
    """`Object.spec{field: value}`."""

    type: str
    fields: tuple[tuple[str, Element], ...]
    at: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """`-x`, `!x`, `x + y`, `x ? y : z`, by operator and operands."""

    operator: str
    operands: tuple[Tree, ...] = field(default=())
    at: int = 0


Tree = Literal | Name | Select | Index | Call | ListOf | MapOf | Struct | Operation


def parts_of(found: Tree) -> Iterator[Tree]:
    """What an expression is directly made of."""
    if isinstance(found, Select):
        yield found.operand
    elif isinstance(found, Index):
        yield from (found.operand, found.key)
    elif isinstance(found, Call):
        if found.target is not None:
            yield found.target
        yield from found.arguments
    elif isinstance(found, Operation):
        yield from found.operands
    elif isinstance(found, ListOf):
        yield from (each.value for each in found.elements)
    elif isinstance(found, MapOf):
        for key, element in found.entries:
            yield from (key, element.value)
    elif isinstance(found, Struct):
        yield from (element.value for _, element in found.fields)


def all_of(found: Tree) -> Iterator[Tree]:
    """An expression and everything below it."""
    yield found
    for part in parts_of(found):
        yield from all_of(part)
