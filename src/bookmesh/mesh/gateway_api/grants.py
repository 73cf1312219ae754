"""References across namespaces: allowed only where a ReferenceGrant of the other namespace says so."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.model.gateway_api import reference_grants
from bookmesh.mesh.model.gateway_api.references import GROUP


def is_granted(
    inputs: inputs_.Inputs,
    *,
    kind: str,
    namespace: str,
    to_group: str,
    to_kind: str,
    to_namespace: str,
    to_name: str,
) -> bool:
    """Whether an object of the Gateway API (`kind` in `namespace`) may refer to another object."""
    if namespace == to_namespace:
        return True
    return any(
        (target.group, target.kind) == (to_group, to_kind) and target.name in ("", to_name)
        for grant in _grants_in(inputs, to_namespace)
        if any((each.group, each.kind, each.namespace) == (GROUP, kind, namespace) for each in grant.from_)
        for target in grant.to
    )


def _grants_in(inputs: inputs_.Inputs, namespace: str) -> Iterator[reference_grants.ReferenceGrant]:
    for parsed, grant in inputs.of(reference_grants.ReferenceGrant):
        if parsed.metadata.namespace == namespace:
            yield grant
