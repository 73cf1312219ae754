"""Which requests a policy and its bindings are about."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api import admission
from bookmesh.kube.api.policies import definitions
from bookmesh.kube.api.webhooks import matching
from bookmesh.kube.schema import kinds
from bookmesh.kube.store import store as stores


def invocations(
    store: stores.Store,
    known: kinds.Kinds,
    policy: definitions.Policy,
    request: admission.AdmissionRequest,
) -> Iterator[tuple[definitions.Binding, Resource]]:
    """Bindings that apply a policy to a request, with the resource as which it is seen."""
    equivalents = matching.equivalents(known, request.resource)
    labels = matching.namespace_labels(store, request)

    def matched(constraints: JsonObject, *, is_any: bool) -> Resource | None:
        how = constraints.get("matchPolicy", "Equivalent")
        rules, excluded = constraints.get("resourceRules"), constraints.get("excludeResourceRules")
        found = request.resource if is_any and not rules else None
        found = found or matching.matched_resource(rules or [], how, request, equivalents)
        if found is None or not matching.is_selected(constraints, request, labels):
            return None
        return None if matching.matched_resource(excluded or [], how, request, equivalents) else found

    resource = matched(policy.spec.get("matchConstraints") or {}, is_any=False)
    if resource is None:
        return
    for binding in policy.bindings:
        if matched(binding.spec.get("matchResources") or {}, is_any=True):
            yield binding, resource
