"""
Fill in what a client may leave out, so that readers find every field they rely on.

Built-in kinds have no defaults in their schemas: a table of functions, one a kind, supplies them (subpackage
`defaults`). Custom kinds bring theirs in the schema. Filling twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.schema.defaults import cluster, pods, services, structural, workloads

_BUILTIN: Final[dict[tuple[str, str], Callable[[JsonObject], None]]] = {
    ("", "Endpoints"): services.fill_endpoints,
    ("", "Namespace"): cluster.fill_namespace,
    ("", "Node"): cluster.fill_node,
    ("", "Pod"): pods.fill_pod,
    ("", "Secret"): cluster.fill_secret,
    ("", "Service"): services.fill_service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): cluster.fill_definition,
    ("apps", "Deployment"): workloads.fill_deployment,
    ("apps", "ReplicaSet"): workloads.fill_replica_set,
    ("authentication.k8s.io", "TokenRequest"): cluster.fill_token_request,
    ("discovery.k8s.io", "EndpointSlice"): services.fill_endpoint_slice,
}
# Without these the object cannot be filled, and validation will refuse it.
_NEEDED: Final = {
    "Deployment": "spec",
    "ReplicaSet": "spec",
    "Pod": "spec",
    "CustomResourceDefinition": "spec",
}


def apply_defaults(known: schemas.Schemas, kind: kinds.Kind, obj: JsonObject) -> None:
    """Fill `obj`, whose values have the types its schema says, in place."""
    if kind.is_custom:
        structural.fill_object(known.root(kind.group, kind.version, kind.kind), obj)
        return
    fill = _BUILTIN.get((kind.group, kind.kind))
    needed = _NEEDED.get(kind.kind)
    if fill is not None and (needed is None or obj.get(needed) is not None):
        fill(obj)
