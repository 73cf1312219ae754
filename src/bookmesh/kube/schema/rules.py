"""
Check what a schema cannot say: one table of functions, one a kind (subpackage `semantics`).

Objects must have been defaulted and must fit their schema. `old` is the stored state when the write is an update, and
brings in what may not change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import kinds
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.semantics import (
    access,
    admission_policies,
    admission_webhooks,
    api_services,
    autoscalers,
    certificate_requests,
    configuration,
    definitions,
    ingresses,
    metadata,
    network_policies,
    pods,
    runtime_classes,
    services,
    volumes,
    workloads,
)

_Rule = Callable[[JsonObject, JsonObject | None], list[Cause]]
_RULES: Final[dict[tuple[str, str], _Rule]] = {
    ("", "ConfigMap"): configuration.check_config_map,
    ("", "PersistentVolume"): volumes.check_volume,
    ("", "PersistentVolumeClaim"): volumes.check_claim,
    ("", "Pod"): pods.check_pod,
    ("", "Secret"): configuration.check_secret,
    ("", "Service"): services.check_service,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): admission_policies.check_mutating,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): admission_policies.check_binding,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): admission_policies.check_validating,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): admission_policies.check_binding,
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
    ): admission_webhooks.check_configuration,
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
    ): admission_webhooks.check_configuration,
    ("apiregistration.k8s.io", "APIService"): api_services.check_service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.check_definition,
    ("apps", "Deployment"): workloads.check_deployment,
    ("apps", "DaemonSet"): workloads.check_daemon_set,
    ("apps", "ReplicaSet"): workloads.check_replica_set,
    ("apps", "StatefulSet"): workloads.check_stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscalers.check_autoscaler,
    ("batch", "CronJob"): workloads.check_cron_job,
    ("batch", "Job"): workloads.check_job,
    ("certificates.k8s.io", "CertificateSigningRequest"): certificate_requests.check_request,
    ("discovery.k8s.io", "EndpointSlice"): services.check_endpoint_slice,
    ("networking.k8s.io", "Ingress"): ingresses.check_ingress,
    ("networking.k8s.io", "IngressClass"): ingresses.check_ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): network_policies.check_policy,
    ("node.k8s.io", "RuntimeClass"): runtime_classes.check_class,
    ("policy", "PodDisruptionBudget"): workloads.check_disruption_budget,
    ("rbac.authorization.k8s.io", "ClusterRole"): access.check_role,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): access.check_binding,
    ("rbac.authorization.k8s.io", "Role"): access.check_role,
    ("rbac.authorization.k8s.io", "RoleBinding"): access.check_binding,
    ("storage.k8s.io", "StorageClass"): volumes.check_class,
}


def check(kind: kinds.Kind, obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Return what is wrong with `obj`, metadata first; empty when nothing is."""
    found = [*metadata.check(kind, obj), *metadata.check_update(obj, old)]
    rule = _RULES.get((kind.group, kind.kind))
    if rule is not None:
        found += rule(obj, old)
    return found
