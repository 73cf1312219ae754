"""
Mutating policies: each changes what the one before left, by an object to apply or by a JSON patch.

One that asked for it (`reinvocationPolicy: IfNeeded`) is evaluated once more when a later one changed the object.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.kube.api import admission, authorization
from bookmesh.kube.api.policies import definitions, evaluating, matching, parameters, validating
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import patching
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.schema.expressions import expression
from bookmesh.kube.schema.ownership import merging, typed
from bookmesh.kube.store import store as stores

_FIXED: Final = ("apiVersion", "kind")


class MutationError(Exception):
    """What an expression gave is no change of the object."""


class MutatingPolicies:
    """The mutating policies in the store."""

    def __init__(
        self, store: stores.Store, kinds: kinds_module.Kinds, schemas: schemas_module.Schemas
    ) -> None:
        self._store, self._kinds, self._schemas = store, kinds, schemas
        self._definitions = definitions.Definitions(store, definitions.MUTATING)
        self._authorizer = authorization.Authorizer(store)

    def mutate(self, request: admission.AdmissionRequest) -> JsonObject:
        """Return the object as the policies want it; raises `ApiError`."""
        policies = self._definitions.policies()
        if not policies or request.operation not in ("CREATE", "UPDATE"):
            return request.object
        after, last_change = self._round(policies, request)
        again = [policy for policy in policies[: max(last_change, 0)] if policy.is_reinvoked]
        if again:
            after, _ = self._round(again, dataclasses.replace(request, object=after))
        return after

    def _round(
        self, policies: Iterable[definitions.Policy], request: admission.AdmissionRequest
    ) -> tuple[JsonObject, int]:
        """The object after all of them, and the position of the last one that changed it, -1 for none."""
        last_change = -1
        for position, policy in enumerate(policies):
            changed = self._apply(policy, request)
            if changed != request.object:
                last_change = position
            request = dataclasses.replace(request, object=changed)
        return request.object, last_change

    def _apply(self, policy: definitions.Policy, request: admission.AdmissionRequest) -> JsonObject:
        for binding, resource in matching.invocations(self._store, self._kinds, policy, request):
            try:
                found = parameters.find(self._store, self._kinds, policy, binding, request.namespace)
                for parameter in found:
                    changed = request.object
                    for mutation in policy.mutations:
                        scope = validating.scope_for(
                            self._store, self._authorizer, policy, request, resource, parameter=parameter
                        )
                        if not scope.is_met():
                            break
                        changed = self._changed(mutation, scope, request)
                        request = dataclasses.replace(request, object=changed)
            except (expression.EvaluationError, MutationError, parameters.ConfigurationError) as error:
                if not policy.is_ignored_on_failure:
                    why = f"policy '{policy.name}' with binding '{binding.name}' denied request: {error}"
                    raise validating.refusal(request, why, why, reason="Invalid") from error
        return request.object

    def _changed(
        self, mutation: definitions.Mutation, scope: evaluating.Scope, request: admission.AdmissionRequest
    ) -> JsonObject:
        made = _value_of(mutation, scope)
        if mutation.is_json_patch:
            try:
                changed = patching.apply_json_patch(request.object, _operations(made))
            except patching.PatchError as error:
                raise MutationError(f"error applying JSON patch: {error}") from error
        else:
            changed = self._merged(request, made)
        if not isinstance(changed, dict) or any(
            changed.get(key) != request.object.get(key) for key in _FIXED
        ):
            raise MutationError("apiVersion and kind must not change")
        return changed

    def _merged(self, request: admission.AdmissionRequest, made: Any) -> JsonObject:
        if not isinstance(made, dict):
            raise MutationError("an apply configuration must be an Object")
        resource = request.resource
        root = self._schemas.root(resource.group, resource.version, request.kind)
        try:
            return copy_json(merging.merge(root, request.object, made))
        except typed.ElementError as error:
            raise MutationError(f"error applying patch: {error}") from error


def _value_of(mutation: definitions.Mutation, scope: evaluating.Scope) -> Any:
    try:
        return _ordered(scope.evaluate(mutation.change))
    except expression.EvaluationError as error:
        raise MutationError(evaluating.failure(mutation.change, error)) from error


def _operations(made: Any) -> list[JsonObject]:
    if not isinstance(made, list) or not all(isinstance(each, dict) for each in made):
        raise MutationError("a JSON patch must be a list of JSONPatch")
    return made


def _ordered(value: Any) -> Any:
    """The engine's maps have no order; what is stored should not differ from one time to the next."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(each) for each in value] if isinstance(value, list) else value
