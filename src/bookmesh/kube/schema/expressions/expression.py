"""
One expression, compiled once and evaluated against variables.

Texts are parsed here first: for what the engine does not have (`lowering`), and for what does not exist (`references`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from bookmesh.kube.schema import nodes
from bookmesh.kube.schema.expressions import library, lowering, macros, parsing, references, tree
from bookmesh.kube.schema.expressions.engine import cel

_CONVERSION: Final = re.compile(r"Function '(int|uint|double)' error: string parse error")
_TYPES: Final = frozenset(
    {"bool", "bytes", "double", "duration", "dyn", "int", "list", "map", "null_type", "string", "timestamp"}
    | {"type", "uint"}
)
_SHORT: Final = {"boolean": "bool"}
_BUILTIN: Final = frozenset(
    {"contains", "endsWith", "matches", "size", "startsWith", "max", "min", "has"}
    | {"getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"}
    | {"getMilliseconds", "getMinutes", "getMonth", "getSeconds"}
    | {"hasValue", "value", "orValue", "or"}
)


class ExpressionError(Exception):
    """An expression that cannot be compiled; the text says why, in cel-go's manner."""


class EvaluationError(Exception):
    """An expression that could not be evaluated: `no such key: x`, `division by zero` and the like."""


def optional(*values: Any) -> Any:
    """An optional value of the language: of one value, or of none."""
    return cel.OptionalValue.of(*values) if values else cel.OptionalValue.none()


class Expression:
    """A compiled expression; make one with `compile_expression`."""

    def __init__(self, text: str, parsed: tree.Tree, program: cel.Program) -> None:
        self.text = text
        self._parsed, self._program = parsed, program
        self.names = frozenset(each.name for each in references.names_of(parsed))
        """The variables that it refers to."""
        called = frozenset(program.functions())
        self._functions = {
            name: function
            for name, function in library.EVERYTHING.items()
            if name.rpartition(".")[2] in called
        }

    def evaluate(
        self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> Any:
        """Return the value; `functions` take the place of some of the library. Raises `EvaluationError`."""
        called = {**self._functions, **functions} if functions else self._functions
        try:
            return self._program.execute(cel.Context(dict(variables), called))
        except Exception as error:  # the engine raises built-in errors of many kinds, and those of functions
            raise EvaluationError(_reason(error)) from error

    def fields_of(self, variable: str) -> frozenset[str]:
        """The fields that it asks a variable for, by name."""
        return frozenset(
            each.field
            for each in tree.all_of(self._parsed)
            if isinstance(each, tree.Select)
            and isinstance(each.operand, tree.Name)
            and each.operand.name == variable
        )

    def check_types(
        self, known: Mapping[str, nodes.Node | None], wanted: str = "", *, is_plain: bool = False
    ) -> list[str]:
        """
        Say what is wrong by the schemas of its variables, as far as these are known: fields that are not there, and a
        result of another type than `wanted` ("" for any). With `is_plain` fields have their own names, not escaped.
        """
        walk = references.Types(is_plain=is_plain)
        made = walk.node_of(self._parsed, known)
        if (
            not walk.problems
            and wanted
            and made
            and made.type not in ("", wanted)
            and not made.is_int_or_string
        ):
            return [f"must evaluate to a {_SHORT.get(wanted, wanted)}"]
        return [each.shown(self.text) for each in walk.problems]


@functools.lru_cache(maxsize=4096)
def compile_expression(
    text: str, variables: frozenset[str], structures: frozenset[str] = frozenset()
) -> Expression:
    """
    Compile an expression that may refer to `variables`, and make structures of these names and those below them.

    Raises:
        ExpressionError: it is malformed, or names what does not exist.
    """
    try:
        parsed = parsing.parse(text)
    except parsing.MalformedError as error:
        raise ExpressionError(_syntax_error(text, error)) from error
    problem = min(_undeclared(parsed, variables, structures), default=None)
    if problem:
        raise ExpressionError(problem.shown(text))
    try:
        return Expression(text, parsed, cel.compile(lowering.lower(parsed)))
    except ValueError as error:
        raise ExpressionError(_said(error)) from error


def _syntax_error(text: str, problem: parsing.MalformedError) -> str:
    """What the engine says about a text that is no expression; it may be one that the engine would take."""
    try:
        cel.compile(text)
    except ValueError as error:
        return _said(error)
    return f"ERROR: <input>: Syntax error: {problem}"


def _said(error: ValueError) -> str:
    return str(error).partition(": ")[2] or str(error)


def _undeclared(
    parsed: tree.Tree, variables: frozenset[str], structures: frozenset[str]
) -> Iterator[references.Problem]:
    names = variables | _TYPES | library.NAMESPACES
    missing = [(each.at, each.name) for each in references.names_of(parsed) if each.name not in names]
    for each in tree.all_of(parsed):
        if isinstance(each, tree.Struct) and each.type.partition(".")[0] not in structures:
            missing.append((each.at, each.type))
        elif isinstance(each, tree.Call) and not _is_known(each):
            missing.append((each.at, each.function))
    for at, name in missing:
        yield references.Problem(at, f"undeclared reference to '{name}' (in container '')")


def _is_known(call: tree.Call) -> bool:
    if macros.macro_of(call) or macros.presence_of(call):
        return True
    if isinstance(call.target, tree.Name) and call.target.name in library.NAMESPACES:
        return f"{call.target.name}.{call.function}" in library.FUNCTIONS or call.target.name == "optional"
    return call.function in library.FUNCTIONS or call.function in _BUILTIN or call.function in _TYPES


def _reason(error: Exception) -> str:
    """Say in cel-go's words what went wrong."""
    if isinstance(error, KeyError):
        return f"no such key: {error.args[0] if error.args else ''}"
    if isinstance(error, IndexError | ZeroDivisionError):
        return str(error).removesuffix(" in CEL expression")
    if isinstance(error, OverflowError):
        return "integer overflow"
    if isinstance(error, TypeError):
        return "no such overload"
    if conversion := _CONVERSION.search(str(error)):
        return f"type conversion error from 'string' to '{conversion[1]}'"
    return str(error).removesuffix(" Check function arguments and their types.")
