"""
What a lab with a mesh has besides, before anybody applies anything.

Istio's CRDs are ensured at every start. The rest, with the CRDs of the Gateway API, is made once, in a new store: what
a person deletes or changes stays so when the lab comes back.
"""

from __future__ import annotations

from typing import Final

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.lab import client as client_module
from bookmesh.lab import seeding
from bookmesh.mesh.model import crds
from bookmesh.mesh.model.gateway_api import kinds as gateway_kinds

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_RBAC: Final = "rbac.authorization.k8s.io"
_ROLES: Final = Resource(_RBAC, "v1", "clusterroles")
_ROLE_BINDINGS: Final = Resource(_RBAC, "v1", "clusterrolebindings")
# The stand-in for istiod, and whoever else is part of the mesh, asks the lab how the proxies are.
_STATUS_ROLE: JsonObject = {
    "metadata": {"name": "bookmesh:status"},
    "rules": [{"verbs": ["get"], "nonResourceURLs": [client_module.STATUS_PATH]}],
}
_STATUS_BINDING: JsonObject = {
    "metadata": {"name": "bookmesh:status"},
    "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "bookmesh:status"},
    "subjects": [{"kind": "Group", "apiGroup": _RBAC, "name": "system:serviceaccounts:istio-system"}],
}


async def seed_mesh(client: kubernetes.Client) -> None:
    """Make what is missing of the role that may read the lab's status; make or update the mesh's CRDs."""
    await seeding.create(client, _ROLES, _STATUS_ROLE)
    await seeding.create(client, _ROLE_BINDINGS, _STATUS_BINDING)
    for crd in crds.build_crds():
        current = await seeding.create(client, kubernetes.CUSTOM_RESOURCE_DEFINITIONS, crd)
        await _renew(client, crd, current)
    for kind in gateway_kinds.KINDS:
        current = await _own_definition(client, crds.name_of(kind))
        if current is not None:
            await _renew(client, crds.build_gateway_api_crd(kind), current)


async def seed_objects(client: kubernetes.Client) -> None:
    """Fill a new store: the Gateway API, injection in namespace default, the ingress gateway."""
    for crd in crds.build_gateway_api_crds():
        await seeding.create(client, kubernetes.CUSTOM_RESOURCE_DEFINITIONS, crd)
    injection = {"metadata": {"labels": {"istio-injection": "enabled"}}}
    await client.patch(kubernetes.NAMESPACES, "default", "", injection)
    await seeding.create_packaged(client, "ingress-gateway.yaml")


async def _renew(client: kubernetes.Client, crd: JsonObject, current: JsonObject | None) -> None:
    """Bring a definition of an earlier version up to date; does nothing when there is none."""
    if current is not None and current["spec"] != crd["spec"]:
        await client.update(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, current | {"spec": crd["spec"]})


async def _own_definition(client: kubernetes.Client, name: str) -> JsonObject | None:
    """A definition as we made it; None when it is gone, or somebody has applied another one."""
    try:
        found = await client.get(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, name)
    except ApiError as error:
        if error.code != 404:
            raise
        return None
    annotations = found["metadata"].get("annotations") or {}
    return None if _LAST_APPLIED in annotations else found
