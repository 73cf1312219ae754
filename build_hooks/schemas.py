"""
Write the schemas of the built-in kinds that Bookmesh serves.

Input is the package `kubernetes-validate`, a build-time dependency: JSON Schema definitions of one Kubernetes release.
Output is one compact OpenAPI v3 file inside the source tree, which goes into the wheel and not into git. It holds the
roots below and everything they refer to, as a real API server publishes them.

Runs as a hatchling hook for every wheel and editable install, and by hand: `python build_hooks/schemas.py`.
"""

from __future__ import annotations

import importlib.resources
import json
import sys
from pathlib import Path
from typing import Any

KUBERNETES = "v1.37.0"
OUTPUT = Path("src/bookmesh/kube/schema/generated/kubernetes.json")
ROOTS = (
    "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
    "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
    "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
    "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
    "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
    "io.k8s.api.apps.v1.ControllerRevision",
    "io.k8s.api.apps.v1.DaemonSet",
    "io.k8s.api.apps.v1.Deployment",
    "io.k8s.api.apps.v1.ReplicaSet",
    "io.k8s.api.apps.v1.StatefulSet",
    "io.k8s.api.authentication.v1.SelfSubjectReview",
    "io.k8s.api.authentication.v1.TokenRequest",
    "io.k8s.api.authentication.v1.TokenReview",
    "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
    "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
    "io.k8s.api.authorization.v1.SubjectAccessReview",
    "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
    "io.k8s.api.autoscaling.v1.Scale",
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    "io.k8s.api.batch.v1.CronJob",
    "io.k8s.api.batch.v1.Job",
    "io.k8s.api.certificates.v1.CertificateSigningRequest",
    "io.k8s.api.coordination.v1.Lease",
    "io.k8s.api.core.v1.Binding",
    "io.k8s.api.core.v1.ConfigMap",
    "io.k8s.api.core.v1.Endpoints",
    "io.k8s.api.core.v1.Event",
    "io.k8s.api.core.v1.LimitRange",
    "io.k8s.api.core.v1.Namespace",
    "io.k8s.api.core.v1.Node",
    "io.k8s.api.core.v1.PersistentVolume",
    "io.k8s.api.core.v1.PersistentVolumeClaim",
    "io.k8s.api.core.v1.Pod",
    "io.k8s.api.core.v1.PodTemplate",
    "io.k8s.api.core.v1.ResourceQuota",
    "io.k8s.api.core.v1.Secret",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.core.v1.ServiceAccount",
    "io.k8s.api.discovery.v1.EndpointSlice",
    "io.k8s.api.networking.v1.Ingress",
    "io.k8s.api.networking.v1.IngressClass",
    "io.k8s.api.networking.v1.NetworkPolicy",
    "io.k8s.api.node.v1.RuntimeClass",
    "io.k8s.api.policy.v1.Eviction",
    "io.k8s.api.policy.v1.PodDisruptionBudget",
    "io.k8s.api.rbac.v1.ClusterRole",
    "io.k8s.api.rbac.v1.ClusterRoleBinding",
    "io.k8s.api.rbac.v1.Role",
    "io.k8s.api.rbac.v1.RoleBinding",
    "io.k8s.api.scheduling.v1.PriorityClass",
    "io.k8s.api.storage.v1.StorageClass",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
)
REPLACED: dict[str, dict[str, Any]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "description": "An integer, or a string such as a percentage or the name of a port.",
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
    },
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "description": "A fixed-point number with an optional suffix, such as 100m, 1.5 or 64Mi.",
        "format": "quantity",
        "oneOf": [{"type": "string"}, {"type": "number"}],
    },
}
_TRAFFIC = ["Cluster", "Local"]
_PROTOCOL = ["SCTP", "TCP", "UDP"]
CHOICES: dict[str, dict[str, list[str]]] = {  # a real server publishes these too; the package leaves them out
    "io.k8s.api.apps.v1.DaemonSetUpdateStrategy": {"type": ["OnDelete", "RollingUpdate"]},
    "io.k8s.api.apps.v1.DeploymentStrategy": {"type": ["Recreate", "RollingUpdate"]},
    "io.k8s.api.apps.v1.StatefulSetSpec": {"podManagementPolicy": ["OrderedReady", "Parallel"]},
    "io.k8s.api.apps.v1.StatefulSetUpdateStrategy": {"type": ["OnDelete", "RollingUpdate"]},
    "io.k8s.api.batch.v1.CronJobSpec": {"concurrencyPolicy": ["Allow", "Forbid", "Replace"]},
    "io.k8s.api.batch.v1.JobSpec": {"completionMode": ["Indexed", "NonIndexed"]},
    "io.k8s.api.core.v1.Container": {
        "imagePullPolicy": ["Always", "IfNotPresent", "Never"],
        "terminationMessagePolicy": ["FallbackToLogsOnError", "File"],
    },
    "io.k8s.api.core.v1.ContainerPort": {"protocol": _PROTOCOL},
    "io.k8s.api.core.v1.EndpointPort": {"protocol": _PROTOCOL},
    "io.k8s.api.core.v1.HTTPGetAction": {"scheme": ["HTTP", "HTTPS"]},
    "io.k8s.api.core.v1.NamespaceStatus": {"phase": ["Active", "Terminating"]},
    "io.k8s.api.core.v1.NodeSelectorRequirement": {
        "operator": ["DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"]
    },
    "io.k8s.api.core.v1.PodSpec": {
        "dnsPolicy": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
        "preemptionPolicy": ["Never", "PreemptLowerPriority"],
        "restartPolicy": ["Always", "Never", "OnFailure"],
    },
    "io.k8s.api.core.v1.PodStatus": {"phase": ["Failed", "Pending", "Running", "Succeeded", "Unknown"]},
    "io.k8s.api.core.v1.ServicePort": {"protocol": _PROTOCOL},
    "io.k8s.api.core.v1.ServiceSpec": {
        "externalTrafficPolicy": _TRAFFIC,
        "internalTrafficPolicy": _TRAFFIC,
        "ipFamilyPolicy": ["PreferDualStack", "RequireDualStack", "SingleStack"],
        "sessionAffinity": ["ClientIP", "None"],
        "type": ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    },
    "io.k8s.api.core.v1.Taint": {"effect": ["NoExecute", "NoSchedule", "PreferNoSchedule"]},
    "io.k8s.api.core.v1.VolumeMount": {"mountPropagation": ["Bidirectional", "HostToContainer", "None"]},
    "io.k8s.api.networking.v1.HTTPIngressPath": {"pathType": ["Exact", "ImplementationSpecific", "Prefix"]},
    "io.k8s.api.networking.v1.IngressClassParametersReference": {"scope": ["Cluster", "Namespace"]},
    "io.k8s.api.networking.v1.NetworkPolicyPort": {"protocol": _PROTOCOL},
    "io.k8s.api.discovery.v1.EndpointPort": {"protocol": _PROTOCOL},
    "io.k8s.api.discovery.v1.EndpointSlice": {"addressType": ["FQDN", "IPv4", "IPv6"]},
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec": {
        "scope": ["Cluster", "Namespaced"]
    },
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": {
        "operator": ["DoesNotExist", "Exists", "In", "NotIn"]
    },
}
# Fields by which elements of lists are told apart and which a client may leave out; published by a real server, too.
DEFAULTS: dict[str, dict[str, str]] = {
    "io.k8s.api.core.v1.ContainerPort": {"protocol": "TCP"},
    "io.k8s.api.core.v1.ServicePort": {"protocol": "TCP"},
}
_SCHEMA_KEYWORDS = ("items", "additionalProperties", "not")
_SCHEMA_LIST_KEYWORDS = ("allOf", "anyOf", "oneOf")


def build(definitions: dict[str, Any]) -> dict[str, Any]:
    """Build the published form of `ROOTS` and everything they refer to, by definition name."""
    chosen: dict[str, Any] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in chosen:
            continue
        chosen[name] = REPLACED.get(name) or published(definitions[name], waiting)
        if "x-kubernetes-group-version-kind" in chosen[name]:
            for field in ("apiVersion", "kind"):
                chosen[name].get("properties", {}).get(field, {}).pop("enum", None)
    for name, fields in CHOICES.items():
        for field, choices in fields.items():
            chosen[name]["properties"][field]["enum"] = choices
    for name, defaults in DEFAULTS.items():
        for field, default in defaults.items():
            chosen[name]["properties"][field]["default"] = default
    return dict(sorted(chosen.items()))


def published(schema: dict[str, Any], found: list[str]) -> dict[str, Any]:
    """Turn one JSON Schema node into OpenAPI v3; names it refers to are appended to `found`."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, list):  # ["string", "null"]: here every field may be absent
            result[key] = next(each for each in value if each != "null")
        elif key == "properties":
            result[key] = {name: published(child, found) for name, child in value.items()}
        elif key in _SCHEMA_KEYWORDS and isinstance(value, dict):
            result[key] = published(value, found)
        elif key in _SCHEMA_LIST_KEYWORDS:
            result[key] = [published(child, found) for child in value]
        elif key == "$ref":
            name = value.removeprefix("#/$defs/")
            found.append(name)
            reference = {"$ref": f"#/components/schemas/{name}"}
            if len(schema) == 1:
                return reference
            result["allOf"] = [reference]  # OpenAPI ignores siblings of $ref
        else:
            result[key] = value
    return result


def write(root: Path) -> Path:
    """Write the file below the project directory `root` and return its path."""
    source = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema"
    text = (source / f"{KUBERNETES}-local" / "_definitions.json").read_text(encoding="utf-8")
    document = {"kubernetes": KUBERNETES, "definitions": build(json.loads(text)["$defs"])}
    target = root / OUTPUT
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")
    return target


def get_build_hook() -> type:
    """Hatchling calls this to find the hook."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class SchemasHook(BuildHookInterface):  # type: ignore[type-arg]
        PLUGIN_NAME = "custom"

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Write the file before the files of the wheel are collected."""
            write(Path(self.root))

    return SchemasHook


if __name__ == "__main__":
    written = write(Path(__file__).resolve().parent.parent)
    sys.stdout.write(f"{written}: {written.stat().st_size:,} bytes\n")
