"""
One expression, compiled once and evaluated against variables.

The engine is loaded with the first expression, since it brings a command line along that takes a third of a second and
30 MB: an API server that nobody gives expressions does without.

The engine has no type checker: a misspelt field of `self` is found when the expression is evaluated, not before.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import cel

_PLAIN_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_BOUND: Final = re.compile(r"\.(?:all|exists|exists_one|map|filter)\(\s*([A-Za-z_]\w*)\s*,")
_STRINGS: Final = re.compile(r"""r?"(?:[^"\\]|\\.)*"|r?'(?:[^'\\]|\\.)*'""")
# What the engine lacks: optional fields, names in backquotes, macros with more variables, named formats.
_LACKING: Final = re.compile(r"\bformat\.\w+\(|\.\?|\[\?|\{\?|`|\bcel\.bind\(|\.(?:transform\w+|sortBy)\(")
_LACKING_PAIRS: Final = re.compile(r"\.(?:all|exists|existsOne|exists_one)\(\s*\w+\s*,\s*\w+\s*,")
_CONVERSION: Final = re.compile(r"Function '(int|uint|double)' error: string parse error")
_TYPES: Final = frozenset(
    {"bool", "bytes", "double", "duration", "dyn", "int", "list", "map", "null_type", "string", "timestamp"}
    | {"type", "uint"}
)
_BUILTIN: Final = frozenset(
    {"contains", "endsWith", "matches", "size", "startsWith", "max", "min", "has"}
    | {"getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"}
    | {"getMilliseconds", "getMinutes", "getMonth", "getSeconds"}
    | {"hasValue", "value", "orValue", "or", "of", "none", "ofNonZeroValue"}
)


class ExpressionError(Exception):
    """An expression that cannot be compiled; the text says why, in cel-go's manner."""


class LackingError(ExpressionError):
    """An expression that a real server would take, but that uses syntax which the engine does not have."""


class EvaluationError(Exception):
    """An expression that could not be evaluated: `no such key: x`, `division by zero` and the like."""


def optional(*values: Any) -> Any:
    """An optional value of the language: of one value, or of none."""
    import cel

    return cel.OptionalValue.of(*values) if values else cel.OptionalValue.none()


class Expression:
    """A compiled expression; make one with `compile_expression`."""

    def __init__(self, text: str, program: cel.Program) -> None:
        self.text = text
        self._program = program
        self.names = frozenset(program.variables())
        """What it refers to: variables, and those that its macros bind."""
        called = frozenset(program.functions())
        from bookmesh.kube.schema.expressions import library

        self._functions = {
            name: function
            for name, function in library.FUNCTIONS.items()
            if name.rpartition(".")[2] in called
        }

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Return the value; raises `EvaluationError`."""
        import cel

        try:
            return self._program.execute(cel.Context(dict(variables), self._functions))
        except Exception as error:  # the engine raises built-in errors of many kinds, and those of functions
            raise EvaluationError(_reason(error)) from error


@functools.lru_cache(maxsize=4096)
def compile_expression(text: str, variables: frozenset[str]) -> Expression:
    """
    Compile an expression that may refer to `variables`.

    Raises:
        ExpressionError: it is malformed, or names what does not exist. LackingError: see there.
    """
    import cel

    from bookmesh.kube.schema.expressions import library

    code = _STRINGS.sub('""', text)
    if _LACKING.search(code) or _LACKING_PAIRS.search(code):
        raise LackingError("it uses a part of CEL that is not supported here")
    try:
        found = Expression(text, cel.compile(text))
    except ValueError as error:
        raise ExpressionError(str(error).partition(": ")[2] or str(error)) from error
    unknown = found.names - variables - _TYPES - library.NAMESPACES - set(_BOUND.findall(code))
    known = {name.rpartition(".")[2] for name in library.FUNCTIONS} | _BUILTIN | _TYPES
    unknown |= {
        name for name in found._program.functions() if _PLAIN_NAME.fullmatch(name) and name not in known
    }
    if unknown:
        name = min(unknown)
        raise ExpressionError(
            f"ERROR: <input>:1:{code.find(name) + 1}: undeclared reference to '{name}' (in container '')"
        )
    return found


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
