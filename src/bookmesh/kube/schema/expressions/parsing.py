"""
The syntax of expressions, all of it: also optional fields, structures and macros, which the engine does not have.

What is wrong with a malformed text is for the engine to say; here that is just `MalformedError`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn

from bookmesh.kube.schema.expressions import tree
from bookmesh.kube.schema.expressions.tree import Tree

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<text>(?:[rR]?[bB]?|[bB][rR])(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}))
    | (?P<raw>(?:[rR][bB]?|[bB][rR])(?:"[^"\n]*"|'[^'\n]*'))
    | (?P<quoted>[bB]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    | (?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>&&|\|\||==|!=|<=|>=|\.\?|\[\?|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_LITERALS: Final = frozenset({"text", "raw", "quoted", "number"})
_WORDS: Final = frozenset({"true", "false", "null"})
_LEVELS: Final = (("||",), ("&&",), ("<", "<=", ">=", ">", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_DEEPEST: Final = 100


class MalformedError(Exception):
    """A text that is no expression."""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Tree:
    """Parse an expression; raises `MalformedError`."""
    parser = _Parser(_tokens(text))
    found = parser.expression()
    parser.expect("end")
    return found


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise MalformedError(f"{text[at]!r} at {at}")
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(_Token("literal" if kind in _LITERALS else kind, match[0], at))
        at = match.end()
    return [*found, _Token("end", "end", at)]


class _Parser:
    """Recursive descent; `_LEVELS` are the binary operators, those that bind least first."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._position, self._depth = tokens, 0, 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._position]

    def _take(self) -> _Token:
        token = self._next
        self._position += 1
        return token

    def _accept(self, *texts: str) -> _Token | None:
        token = self._next
        return self._take() if token.kind in ("sign", "name") and token.text in texts else None

    def expect(self, text: str) -> _Token:
        if self._next.text != text or self._next.kind == "literal":
            self._fail()
        return self._take() if text != "end" else self._next

    def _fail(self) -> NoReturn:
        raise MalformedError(f"{self._next.text!r} at {self._next.at}")

    def expression(self) -> Tree:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MalformedError("too deep")
        condition = self._binary(0)
        mark = self._accept("?")
        if mark:
            chosen = self._binary(0)
            self.expect(":")
            condition = tree.Operation("?:", (condition, chosen, self.expression()), mark.at)
        self._depth -= 1
        return condition

    def _binary(self, level: int) -> Tree:
        if level == len(_LEVELS):
            return self._unary()
        found = self._binary(level + 1)
        while sign := self._accept(*_LEVELS[level]):
            found = tree.Operation(sign.text, (found, self._binary(level + 1)), sign.at)
        return found

    def _unary(self) -> Tree:
        signs = []
        while sign := self._accept("!", "-"):
            signs.append(sign)
        found = self._member(self._primary())
        for sign in reversed(signs):
            found = tree.Operation(f"{sign.text}_", (found,), sign.at)
        return found

    def _member(self, found: Tree) -> Tree:
        while sign := self._accept(".", ".?", "[", "[?"):
            if sign.text in ("[", "[?"):
                found = tree.Index(found, self.expression(), sign.text == "[?", sign.at)
                self.expect("]")
                continue
            name = self._field()
            if sign.text == "." and self._next == _Token("sign", "(", self._next.at):
                found = tree.Call(name, self._arguments(), found, sign.at)
            else:
                found = tree.Select(found, name, sign.text == ".?", sign.at)
        if self._next.text == "{" and (name := _dotted(found)):
            return self._member(self._struct(name))
        return found

    def _field(self) -> str:
        if self._next.kind != "name":
            self._fail()
        return self._take().text

    def _primary(self) -> Tree:
        token = self._next
        if token.kind == "literal" or (token.kind == "name" and token.text in _WORDS):
            return tree.Literal(self._take().text, token.at)
        if self._accept("("):
            found = self.expression()
            self.expect(")")
            return found
        if opened := self._accept("[", "[?"):
            return self._list(opened)
        if self._accept("{"):
            return self._map(token.at)
        self._accept(".")
        if self._next.kind != "name" or self._next.text == "in":
            self._fail()
        name = self._take()
        if self._next.text == "(" and self._next.kind == "sign":
            return tree.Call(name.text, self._arguments(), None, name.at)
        return tree.Name(name.text, name.at)

    def _arguments(self) -> tuple[Tree, ...]:
        self.expect("(")
        found: list[Tree] = []
        while not self._accept(")"):
            found.append(self.expression())
            if not self._accept(","):
                self.expect(")")
                break
        return tuple(found)

    def _list(self, opened: _Token) -> Tree:
        found: list[tree.Element] = []
        is_optional = opened.text == "[?"
        while not self._accept("]"):
            is_optional = is_optional or bool(self._accept("?"))
            found.append(tree.Element(self.expression(), is_optional))
            is_optional = False
            if not self._accept(","):
                self.expect("]")
                break
        return tree.ListOf(tuple(found), opened.at)

    def _map(self, at: int) -> Tree:
        found: list[tuple[Tree, tree.Element]] = []
        while not self._accept("}"):
            is_optional = bool(self._accept("?"))
            key = self.expression()
            self.expect(":")
            found.append((key, tree.Element(self.expression(), is_optional)))
            if not self._accept(","):
                self.expect("}")
                break
        return tree.MapOf(tuple(found), at)

    def _struct(self, name: str) -> Tree:
        at = self.expect("{").at
        found: list[tuple[str, tree.Element]] = []
        while not self._accept("}"):
            is_optional = bool(self._accept("?"))
            field = self._field()
            self.expect(":")
            found.append((field, tree.Element(self.expression(), is_optional)))
            if not self._accept(","):
                self.expect("}")
                break
        return tree.Struct(name, tuple(found), at)


def _dotted(found: Tree) -> str:
    """The name that a path is, "" for what is none."""
    if isinstance(found, tree.Name):
        return found.name
    if isinstance(found, tree.Select) and not found.is_optional and (before := _dotted(found.operand)):
        return f"{before}.{found.field}"
    return ""
