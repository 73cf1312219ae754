"""
A node: one place in an object, and all that its schema says about it.

Nodes wrap OpenAPI v3 dicts, follow references, and compile what they say on first use; children that refer to a
definition share its node. Immutable to callers. Schemas of kinds recurse, so nodes must stay lazy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject

REFERENCE: Final = "#/components/schemas/"
_DESCRIPTIVE: Final = {"allOf", "description", "title", "example", "externalDocs"}


class Node:
    """One schema node with its references followed. Comparison is by identity."""

    def __init__(self, source: JsonObject, definition: Callable[[str], Node]) -> None:
        self.source = source
        self._definition = definition
        self._children: dict[str, Node | None] = {}
        self._answers: dict[Callable[[Node], bool], bool] = {}

    # --- children

    def child(self, key: str) -> Node | None:
        """Return the node of the value under `key` of an object; None when the schema does not know that key."""
        try:
            return self._children[key]
        except KeyError:
            return self._children.setdefault(key, self._find_child(key))

    def _find_child(self, key: str) -> Node | None:
        found = self.properties.get(key)
        if found is not None:
            return self._resolve(found)
        return self.additional

    def _resolve(self, source: JsonObject) -> Node:
        return resolve(source, self._definition)

    @cached_property
    def properties(self) -> dict[str, JsonObject]:
        """The sources of the named fields; use `child` for their nodes."""
        properties: dict[str, JsonObject] = self.source.get("properties") or {}
        return properties

    @cached_property
    def additional(self) -> Node | None:
        """The node of the values of a map."""
        source = self.source.get("additionalProperties")
        return self._resolve(source) if isinstance(source, dict) else None

    @cached_property
    def items(self) -> Node | None:
        """The node of the elements of a list."""
        source = self.source.get("items")
        return self._resolve(source) if isinstance(source, dict) else None

    @cached_property
    def one_of(self) -> tuple[Node, ...]:
        return self._alternatives("oneOf")

    @cached_property
    def any_of(self) -> tuple[Node, ...]:
        return self._alternatives("anyOf")

    @cached_property
    def all_of(self) -> tuple[Node, ...]:
        return self._alternatives("allOf")

    @cached_property
    def negated(self) -> Node | None:
        source = self.source.get("not")
        return self._resolve(source) if isinstance(source, dict) else None

    def _alternatives(self, keyword: str) -> tuple[Node, ...]:
        sources: Iterable[JsonObject] = self.source.get(keyword) or ()
        return tuple(self._resolve(source) for source in sources)

    def any_below(self, test: Callable[[Node], bool]) -> bool:
        """Whether a test holds for this node or one below it. Answers are kept: tests must be plain functions."""
        known = self._answers.get(test)
        if known is None:
            self._answers[test] = False  # of a schema that contains itself
            known = self._answers[test] = test(self) or any(
                each.any_below(test) for each in self._all_children()
            )
        return known

    def _all_children(self) -> Iterable[Node]:
        for key in self.properties:
            child = self.child(key)
            if child is not None:
                yield child
        yield from (each for each in (self.additional, self.items) if each is not None)
        yield from self.all_of

    # --- what kind of value

    @cached_property
    def type(self) -> str:
        """`object`, `array`, `string`, `boolean`, `integer`, `number`; "" when the schema leaves it open."""
        return str(self.source.get("type", ""))

    @cached_property
    def format(self) -> str:
        return str(self.source.get("format", ""))

    @cached_property
    def is_int_or_string(self) -> bool:
        return self.format == "int-or-string" or bool(self.source.get("x-kubernetes-int-or-string"))

    @cached_property
    def is_quantity(self) -> bool:
        return self.format == "quantity"

    @cached_property
    def is_nullable(self) -> bool:
        return bool(self.source.get("nullable"))

    @cached_property
    def is_embedded_resource(self) -> bool:
        return bool(self.source.get("x-kubernetes-embedded-resource"))

    @cached_property
    def is_open(self) -> bool:
        """True when fields that the schema does not name are kept as they are."""
        source = self.source
        if source.get("x-kubernetes-preserve-unknown-fields") or source.get("additionalProperties") is True:
            return True
        return not self.properties and "additionalProperties" not in source

    @cached_property
    def default(self) -> Any:
        """The default, None when there is none; copy it before use."""
        return self.source.get("default")

    @cached_property
    def validations(self) -> tuple[JsonObject, ...]:
        """Rules in CEL that hold for the value; most nodes have none."""
        return tuple(self.source.get("x-kubernetes-validations") or ())

    # --- constraints

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(self.source.get("required") or ())

    @cached_property
    def enum(self) -> tuple[Any, ...]:
        """The allowed values; empty when any will do."""
        return tuple(self.source.get("enum") or ())

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """The pattern to search for; None when there is none."""
        text = self.source.get("pattern")
        return compile_pattern(text) if text else None

    def limit(self, keyword: str) -> int | float | None:
        """Return a numeric constraint such as `maximum` or `minItems`; None when it is not there."""
        value: int | float | None = self.source.get(keyword)
        return value

    # --- lists and maps: identity of elements, and how patches merge

    @cached_property
    def list_type(self) -> str:
        """`atomic`, `set` or `map`."""
        return str(self.source.get("x-kubernetes-list-type", "atomic"))

    @cached_property
    def list_map_keys(self) -> tuple[str, ...]:
        """The fields that tell elements of a `map` list apart; never empty for one."""
        return tuple(self.source.get("x-kubernetes-list-map-keys") or ())

    @cached_property
    def is_atomic_map(self) -> bool:
        return self.source.get("x-kubernetes-map-type") == "atomic"

    @cached_property
    def patch_strategies(self) -> frozenset[str]:
        """Subset of `merge`, `replace`, `retainKeys`."""
        return frozenset(str(self.source.get("x-kubernetes-patch-strategy", "")).split(",")) - {""}

    @cached_property
    def patch_merge_key(self) -> str | None:
        return self.source.get("x-kubernetes-patch-merge-key")


def compile_pattern(text: str) -> re.Pattern[str]:
    """
    Compile a pattern in Go's syntax; raises `re.error`.

    There `$` at the end means the very end of the text, before no newline, and is also written `\\z`.
    """
    if text.endswith("$") and (len(text) - len(text[:-1].rstrip("\\"))) % 2:
        text = text[:-1] + "\\Z"
    return re.compile(text.replace("\\z", "\\Z"))


def resolve(source: JsonObject, definition: Callable[[str], Node]) -> Node:
    """Build the node of `source`; where it only points to a definition, return that definition's own node."""
    name = reference_of(source)
    if name is None:
        return Node(source, definition)
    target = definition(name)
    own = {key: value for key, value in source.items() if key not in _DESCRIPTIVE and key != "$ref"}
    return Node({**target.source, **own}, definition) if own else target


def reference_of(source: JsonObject) -> str | None:
    """Return the name of the definition that a schema refers to, directly or through a single `allOf`."""
    reference = source.get("$ref")
    if reference is None:
        parts = source.get("allOf")
        reference = parts[0].get("$ref") if parts and len(parts) == 1 else None
    return reference.removeprefix(REFERENCE) if reference else None
