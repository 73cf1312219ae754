"""
Rules that a CRD states in its schema (`x-kubernetes-validations`), checked against a custom object.

A rule sees the value that it stands at (`self`) and, in a change, what was there before (`oldSelf`): a rule that
speaks of `oldSelf` is checked only where there was something comparable, unless it says `optionalOldSelf`. What a rule
finds in a part of the object that the change leaves alone is a warning, as older objects may break newer rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, kinds, nodes, rule_values, schemas
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.expressions import expression

VARIABLES: Final = frozenset({"self", "oldSelf"})
_LONGEST_MESSAGE: Final = 5 * 1024
_BLOCKING: Final = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany"}
    | {"FieldValueTypeInvalid"}
)
_UNCHECKED: Final = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_ABSENT: Final = object()
"""Stands for an old value that is not there or cannot be told."""


class Found(NamedTuple):
    """What rules say: `wrong` refuses the object, `warnings` are about what was so before."""

    wrong: list[Cause]
    warnings: list[str]


def check(known: schemas.Schemas, kind: kinds.Kind, obj: JsonObject, old: JsonObject | None) -> Found:
    """Check an object that fits its schema; `old` is what is stored, None for a new object."""
    root = known.root(kind.group, kind.version, kind.kind)
    walk = _Walk()
    if has_rules(root):
        walk.visit(root, obj, _ABSENT if old is None else old, path="", is_kept=lambda: False)
    return Found(walk.wrong, walk.warnings)


def check_after(
    wrong: Sequence[Cause],
    known: schemas.Schemas,
    kind: kinds.Kind,
    obj: JsonObject,
    old: JsonObject | None,
) -> Found:
    """
    Check an object about whose schema `wrong` is known already.

    Where that leaves rules nothing to go by, the only finding is that they were not checked.
    """
    if not any(each.reason in _BLOCKING for each in wrong):
        return check(known, kind, obj, old)
    if not has_rules(known.root(kind.group, kind.version, kind.kind)):
        return Found([], [])
    return Found([causes.invalid("<nil>", "null", _UNCHECKED)], [])


def has_rules(node: nodes.Node) -> bool:
    """Whether rules stand at a node or anywhere below."""
    return node.any_below(_states_rules)


def _states_rules(node: nodes.Node) -> bool:
    return bool(node.validations)


class _Walk:
    """One walk over one object."""

    def __init__(self) -> None:
        self.wrong: list[Cause] = []
        self.warnings: list[str] = []

    def visit(
        self, node: nodes.Node, value: Any, old: Any, *, path: str, is_kept: Callable[[], bool]
    ) -> None:
        """`is_kept` says whether the nearest place above that could be compared is as it was."""
        if value is None or not has_rules(node):
            return
        if old is not _ABSENT:

            def is_kept() -> bool:
                return bool(value == old)

        for each in (node, *node.all_of):
            for rule in each.validations:
                self._check(rule, node, value, old, path=path, is_kept=is_kept)
        if isinstance(value, dict):
            self._visit_fields(node, value, old, path=path, is_kept=is_kept)
        elif isinstance(value, list) and node.items is not None:
            olds = _old_elements(node, old)
            for index, each in enumerate(value):
                before = olds.get(_identity(node, each), _ABSENT)
                self.visit(node.items, each, before, path=f"{path}[{index}]", is_kept=is_kept)

    def _visit_fields(
        self, node: nodes.Node, value: JsonObject, old: Any, *, path: str, is_kept: Callable[[], bool]
    ) -> None:
        olds = old if isinstance(old, dict) and not node.is_atomic_map else {}
        for key, each in value.items():
            child = node.child(key)
            if child is None:
                continue
            named = f"{path}.{key}" if path else key
            where = named if key in node.properties else f"{path}[{key}]"
            self.visit(child, each, olds.get(key, _ABSENT), path=where, is_kept=is_kept)

    def _check(
        self,
        rule: JsonObject,
        node: nodes.Node,
        value: Any,
        old: Any,
        *,
        path: str,
        is_kept: Callable[[], bool],
    ) -> None:
        compiled = expression.compile_expression(rule["rule"].strip(), VARIABLES)
        is_transition = "oldSelf" in compiled.names
        if is_transition and old is _ABSENT and not rule.get("optionalOldSelf"):
            return
        variables = _variables(rule, node, value, old)
        try:
            if compiled.evaluate(variables) is True:
                return
        except expression.EvaluationError as error:
            self.wrong.append(_failure(rule, node, path, str(error)))
            return
        cause = _broken(rule, node, path=path, variables=variables)
        if not is_transition and is_kept():
            self.warnings.append(f"{cause.field}: {cause.message}")
        else:
            self.wrong.append(cause)


def _variables(rule: JsonObject, node: nodes.Node, value: Any, old: Any) -> dict[str, Any]:
    found = {"self": rule_values.value_for(node, value)}
    if rule.get("optionalOldSelf"):
        is_new = old is _ABSENT or old is None
        values = () if is_new else (rule_values.value_for(node, old),)
        found["oldSelf"] = expression.optional(*values)
    elif old is not _ABSENT:
        found["oldSelf"] = rule_values.value_for(node, old)
    return found


def _broken(rule: JsonObject, node: nodes.Node, *, path: str, variables: Mapping[str, Any]) -> Cause:
    """The cause of a rule that does not hold, in its own words if it has some."""
    where = _place(path, rule.get("fieldPath") or "")
    detail = _own_message(rule, variables) or _said(rule)
    reason = rule.get("reason") or "FieldValueInvalid"
    if reason == "FieldValueForbidden":
        return causes.forbidden(where, detail)
    if reason == "FieldValueRequired":
        return causes.required(where, detail)
    if reason == "FieldValueDuplicate":
        return causes.duplicate(where, node.type)
    return causes.invalid(where, node.type, detail)


def _own_message(rule: JsonObject, variables: Mapping[str, Any]) -> str:
    """What `messageExpression` makes; "" when there is none, or it does not make one line."""
    text = (rule.get("messageExpression") or "").strip()
    if not text:
        return ""
    try:
        made = expression.compile_expression(text, VARIABLES).evaluate(variables)
    except (expression.ExpressionError, expression.EvaluationError):
        return ""
    if not isinstance(made, str) or "\n" in made.strip() or len(made.encode()) > _LONGEST_MESSAGE:
        return ""
    return made.strip()


def _said(rule: JsonObject) -> str:
    message = (rule.get("message") or "").strip()
    return message or f"failed rule: {rule['rule'].strip()}"


def _failure(rule: JsonObject, node: nodes.Node, path: str, why: str) -> Cause:
    """The cause of a rule that could not be evaluated."""
    named = (rule.get("message") or rule["rule"]).strip()
    if why == "no such overload":
        detail = (
            f"'{why}': call arguments did not match a supported operator, function or macro signature "
            f"for rule: {named}"
        )
    else:
        detail = f"{why} evaluating rule: {named}"
    return causes.invalid(path, node.type, detail)


def _place(path: str, field_path: str) -> str:
    """A path and what a rule says about where below it the mistake is: `.a.b` or `['a']`."""
    below = field_path.replace("['", "[").replace("']", "]")
    return f"{path}{below}" if path else below.removeprefix(".")


def _old_elements(node: nodes.Node, old: Any) -> dict[Any, Any]:
    """Old elements of a list by identity; none where elements cannot be told apart."""
    if node.list_type != "map" or not isinstance(old, list):
        return {}
    return {_identity(node, each): each for each in old}


def _identity(node: nodes.Node, element: Any) -> Any:
    if node.list_type != "map" or not isinstance(element, dict):
        return None
    return tuple(causes.quoted(element.get(key)) for key in node.list_map_keys)
