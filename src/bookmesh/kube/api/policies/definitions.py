"""The policies that are bound, in order of their names, with their bindings and compiled expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.semantics import admission_policies
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_GROUP: Final = "admissionregistration.k8s.io"
VALIDATING: Final = "validatingadmissionpolicies"
MUTATING: Final = "mutatingadmissionpolicies"
_BINDINGS: Final = {
    VALIDATING: "validatingadmissionpolicybindings",
    MUTATING: "mutatingadmissionpolicybindings",
}


@dataclass(frozen=True, slots=True)
class Validation:
    """One thing that must hold; `message_expression` is None where there is none."""

    test: expression.Expression
    message: str
    message_expression: expression.Expression | None
    reason: str


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change: `change` gives an `Object` to apply, or with `is_json_patch` a list of `JSONPatch`."""

    change: expression.Expression
    is_json_patch: bool


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a policy holds; `spec` is that of the object."""

    name: str
    spec: JsonObject


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy with at least one binding; `spec` is that of the object, defaulted and valid."""

    name: str
    spec: JsonObject
    bindings: tuple[Binding, ...]
    conditions: tuple[expression.Expression, ...]
    variables: dict[str, expression.Expression]
    validations: tuple[Validation, ...]
    mutations: tuple[Mutation, ...]
    audit_annotations: tuple[tuple[str, expression.Expression], ...] = ()

    @property
    def is_ignored_on_failure(self) -> bool:
        return bool(self.spec.get("failurePolicy") == "Ignore")

    @property
    def is_reinvoked(self) -> bool:
        return bool(self.spec.get("reinvocationPolicy") == "IfNeeded")


class Definitions:
    """Reads one kind of policies from the store; what was read is kept until one of them or a binding changes."""

    def __init__(self, store: stores.Store, plural: str) -> None:
        self._store = store
        self._resources = [records.GroupResource(_GROUP, each) for each in (plural, _BINDINGS[plural])]
        self._versions: list[list[int]] = []
        self._policies: tuple[Policy, ...] = ()

    def policies(self) -> Sequence[Policy]:
        """Every bound policy; may be empty."""
        stored, bindings = (self._store.list(each) for each in self._resources)
        versions = [[each.version for each in stored], [each.version for each in bindings]]
        if versions != self._versions:
            bound: dict[str, list[Binding]] = {}
            for each in bindings:
                spec = each.object["spec"]
                bound.setdefault(spec.get("policyName", ""), []).append(Binding(each.name, spec))
            self._policies = tuple(
                _parse(each.name, each.object["spec"], tuple(bound[each.name]))
                for each in stored
                if each.name in bound
            )
            self._versions = versions
        return self._policies


def _parse(name: str, spec: JsonObject, bindings: tuple[Binding, ...]) -> Policy:
    return Policy(
        name,
        spec,
        bindings,
        tuple(_compiled(each["expression"]) for each in spec.get("matchConditions") or []),
        {each["name"]: _compiled(each["expression"]) for each in spec.get("variables") or []},
        tuple(_validation(each) for each in spec.get("validations") or []),
        tuple(_mutation(each) for each in spec.get("mutations") or []),
        tuple(
            (each["key"], _compiled(each["valueExpression"])) for each in spec.get("auditAnnotations") or []
        ),
    )


def _validation(source: JsonObject) -> Validation:
    message = source.get("messageExpression")
    return Validation(
        _compiled(source["expression"]),
        (source.get("message") or "").strip(),
        _compiled(message) if message else None,
        source.get("reason") or "Invalid",
    )


def _mutation(source: JsonObject) -> Mutation:
    is_json_patch = source["patchType"] == "JSONPatch"
    text = source["jsonPatch" if is_json_patch else "applyConfiguration"]["expression"]
    return Mutation(_compiled(text), is_json_patch)


def _compiled(text: str) -> expression.Expression:
    return expression.compile_expression(
        text.strip(), admission_policies.VARIABLES, admission_policies.STRUCTURES
    )
