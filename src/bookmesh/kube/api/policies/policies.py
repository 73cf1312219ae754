"""Both sorts of policies, as admission asks them."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import admission
from bookmesh.kube.api.policies import mutating, validating
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.store import store as stores


class Policies:
    """Implements `admission.Policies` over the policies in the store."""

    def __init__(
        self, store: stores.Store, kinds: kinds_module.Kinds, schemas: schemas_module.Schemas
    ) -> None:
        self._mutating = mutating.MutatingPolicies(store, kinds, schemas)
        self._validating = validating.ValidatingPolicies(store, kinds)

    def mutate(self, request: admission.AdmissionRequest) -> JsonObject:
        return self._mutating.mutate(request)

    def validate(self, request: admission.AdmissionRequest) -> tuple[str, ...]:
        return self._validating.validate(request)
