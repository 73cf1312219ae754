"""
ValidatingAdmissionPolicies: what is wrong by the schemas of the kinds that they are about is told in their status.

On a real cluster a controller does so a moment later; here the write itself does.
"""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api.strategies import base
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.semantics import admission_policies


class PolicyStrategy(base.Strategy):
    """Fills the status."""

    def __init__(self, kinds: kinds_module.Kinds, schemas: schemas_module.Schemas) -> None:
        self._kinds, self._schemas = kinds, schemas

    def prepare_create(self, obj: JsonObject) -> None:
        obj["status"] = self._status(obj.get("spec") or {}, 1)

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        if obj.get("spec") != old.get("spec"):
            obj["status"] = self._status(obj.get("spec") or {}, old["metadata"].get("generation", 0) + 1)

    def _status(self, spec: JsonObject, generation: int) -> JsonObject:
        warnings = [
            {"fieldRef": place, "warning": "\n".join(found)}
            for place, text in _texts(spec)
            if (found := list(self._problems(spec, text)))
        ]
        checking = {"expressionWarnings": warnings} if warnings else {}
        return {"observedGeneration": generation, "typeChecking": checking}

    def _problems(self, spec: JsonObject, text: str) -> Iterator[str]:
        """What is wrong with an expression, for each kind that the policy names."""
        try:
            compiled = expression.compile_expression(
                text.strip(), admission_policies.VARIABLES, admission_policies.STRUCTURES
            )
        except expression.ExpressionError:
            return  # the object's own check says so
        for kind in _named_kinds(spec, self._kinds):
            root = self._schemas.root(kind.group, kind.version, kind.kind)
            for problem in compiled.check_types({"object": root, "oldObject": root}, is_plain=True):
                yield f"{kind.api_version}, Kind={kind.kind}: {problem}"


def _texts(spec: JsonObject) -> Iterator[tuple[str, str]]:
    for index, each in enumerate(spec.get("validations") or []):
        for field in ("expression", "messageExpression"):
            if each.get(field):
                yield f"spec.validations[{index}].{field}", each[field]


def _named_kinds(spec: JsonObject, known: kinds_module.Kinds) -> Iterator[kinds_module.Kind]:
    """The kinds that rules name without a star."""
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or []:
        for group in rule.get("apiGroups") or []:
            for version in rule.get("apiVersions") or []:
                for plural in rule.get("resources") or []:
                    kind = known.by_resource(Resource(group, version, plural))
                    if kind is not None:
                        yield kind
