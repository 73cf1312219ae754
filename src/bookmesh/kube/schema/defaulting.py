"""
Fill in what a client may leave out, so that readers find every field they rely on.

Built-in kinds have no defaults in their schemas: a table of functions, one a kind, supplies them (subpackage
`defaults`). Custom kinds bring theirs in the schema. Filling twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import canonical, kinds, schemas
from bookmesh.kube.schema.defaults import (
    access,
    cluster,
    networking,
    pods,
    scaling,
    services,
    structural,
    volumes,
    workloads,
)

_BUILTIN: Final[dict[tuple[str, str], Callable[[JsonObject], None]]] = {
    ("", "Endpoints"): services.fill_endpoints,
    ("", "LimitRange"): cluster.fill_limit_range,
    ("", "Namespace"): cluster.fill_namespace,
    ("", "Node"): cluster.fill_node,
    ("", "PersistentVolume"): volumes.fill_volume,
    ("", "PersistentVolumeClaim"): volumes.fill_claim,
    ("", "Pod"): pods.fill_pod,
    ("", "Secret"): cluster.fill_secret,
    ("", "Service"): services.fill_service,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): access.fill_policy,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): access.fill_policy_binding,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): access.fill_webhooks,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): access.fill_policy,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): access.fill_policy_binding,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): access.fill_webhooks,
    ("apiregistration.k8s.io", "APIService"): cluster.fill_api_service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): cluster.fill_definition,
    ("apps", "DaemonSet"): workloads.fill_daemon_set,
    ("apps", "Deployment"): workloads.fill_deployment,
    ("apps", "ReplicaSet"): workloads.fill_replica_set,
    ("apps", "StatefulSet"): workloads.fill_stateful_set,
    ("authentication.k8s.io", "TokenRequest"): cluster.fill_token_request,
    ("autoscaling", "HorizontalPodAutoscaler"): scaling.fill_autoscaler,
    ("batch", "CronJob"): workloads.fill_cron_job,
    ("batch", "Job"): workloads.fill_job,
    ("discovery.k8s.io", "EndpointSlice"): services.fill_endpoint_slice,
    ("networking.k8s.io", "Ingress"): networking.fill_ingress,
    ("networking.k8s.io", "IngressClass"): networking.fill_ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): networking.fill_network_policy,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): access.fill_binding,
    ("rbac.authorization.k8s.io", "RoleBinding"): access.fill_binding,
    ("scheduling.k8s.io", "PriorityClass"): cluster.fill_priority_class,
    ("storage.k8s.io", "StorageClass"): volumes.fill_storage_class,
}
# Kinds whose functions need a `spec`; without one, validation will refuse the object.
_NEEDING_SPEC: Final = frozenset(
    {
        "CronJob",
        "CustomResourceDefinition",
        "DaemonSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Job",
        "LimitRange",
        "NetworkPolicy",
        "Pod",
        "ReplicaSet",
        "StatefulSet",
    }
)


def apply_defaults(known: schemas.Schemas, kind: kinds.Kind, obj: JsonObject) -> None:
    """Fill `obj`, whose values have the types its schema says, in place; quantities get the form they are stored in."""
    canonical.rewrite_quantities(known, kind, obj)
    if kind.is_custom:
        structural.fill_object(known.root(kind.group, kind.version, kind.kind), obj)
        return
    fill = _BUILTIN.get((kind.group, kind.kind))
    if fill is not None and (kind.kind not in _NEEDING_SPEC or obj.get("spec") is not None):
        fill(obj)
