"""
The resources that controllers look after, and the names owner references use for them.

What is made at run time (custom resources) comes on top, from the definitions themselves.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject, Resource

ENDPOINTS: Final = Resource("", "v1", "endpoints")
LEASES: Final = Resource("coordination.k8s.io", "v1", "leases")
JOBS: Final = Resource("batch", "v1", "jobs")
CRON_JOBS: Final = Resource("batch", "v1", "cronjobs")
STATEFUL_SETS: Final = Resource("apps", "v1", "statefulsets")
DAEMON_SETS: Final = Resource("apps", "v1", "daemonsets")
CONTROLLER_REVISIONS: Final = Resource("apps", "v1", "controllerrevisions")
DISRUPTION_BUDGETS: Final = Resource("policy", "v1", "poddisruptionbudgets")
AUTOSCALERS: Final = Resource("autoscaling", "v2", "horizontalpodautoscalers")
QUOTAS: Final = Resource("", "v1", "resourcequotas")
CLUSTER_ROLES: Final = Resource("rbac.authorization.k8s.io", "v1", "clusterroles")

_ADMISSION: Final = "admissionregistration.k8s.io"


class Served(NamedTuple):
    """One resource and its kind; `has_owners`: its objects take part in garbage collection."""

    resource: Resource
    kind: str
    is_namespaced: bool = True
    has_owners: bool = True


BUILT_IN: Final[tuple[Served, ...]] = (
    Served(kubernetes.DEPLOYMENTS, "Deployment"),
    Served(kubernetes.REPLICA_SETS, "ReplicaSet"),
    Served(kubernetes.PODS, "Pod"),
    Served(kubernetes.SERVICES, "Service"),
    Served(kubernetes.ENDPOINT_SLICES, "EndpointSlice"),
    Served(ENDPOINTS, "Endpoints"),
    Served(kubernetes.CONFIG_MAPS, "ConfigMap"),
    Served(kubernetes.SECRETS, "Secret"),
    Served(kubernetes.SERVICE_ACCOUNTS, "ServiceAccount"),
    Served(LEASES, "Lease"),
    Served(STATEFUL_SETS, "StatefulSet"),
    Served(DAEMON_SETS, "DaemonSet"),
    Served(CONTROLLER_REVISIONS, "ControllerRevision"),
    Served(CRON_JOBS, "CronJob"),
    Served(JOBS, "Job"),
    Served(kubernetes.INGRESSES, "Ingress"),
    Served(DISRUPTION_BUDGETS, "PodDisruptionBudget"),
    Served(AUTOSCALERS, "HorizontalPodAutoscaler"),
    Served(QUOTAS, "ResourceQuota"),
    Served(Resource("", "v1", "limitranges"), "LimitRange"),
    Served(kubernetes.VOLUME_CLAIMS, "PersistentVolumeClaim"),
    Served(kubernetes.NETWORK_POLICIES, "NetworkPolicy"),
    Served(Resource("rbac.authorization.k8s.io", "v1", "roles"), "Role"),
    Served(Resource("rbac.authorization.k8s.io", "v1", "rolebindings"), "RoleBinding"),
    Served(Resource("", "v1", "podtemplates"), "PodTemplate"),
    Served(kubernetes.EVENTS, "Event", has_owners=False),
    Served(CLUSTER_ROLES, "ClusterRole", is_namespaced=False),
    Served(
        Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings"),
        "ClusterRoleBinding",
        is_namespaced=False,
    ),
    *(
        Served(Resource(group, "v1", plural), kind, is_namespaced=False)
        for group, plural, kind in (
            (_ADMISSION, "mutatingadmissionpolicies", "MutatingAdmissionPolicy"),
            (_ADMISSION, "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding"),
            (_ADMISSION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
            (_ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
            (_ADMISSION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"),
            (_ADMISSION, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
            ("apiregistration.k8s.io", "apiservices", "APIService"),
            ("certificates.k8s.io", "certificatesigningrequests", "CertificateSigningRequest"),
            ("networking.k8s.io", "ingressclasses", "IngressClass"),
            ("node.k8s.io", "runtimeclasses", "RuntimeClass"),
            ("scheduling.k8s.io", "priorityclasses", "PriorityClass"),
            ("storage.k8s.io", "storageclasses", "StorageClass"),
        )
    ),
    Served(kubernetes.VOLUMES, "PersistentVolume", is_namespaced=False),
    Served(kubernetes.NAMESPACES, "Namespace", is_namespaced=False),
    Served(kubernetes.NODES, "Node", is_namespaced=False),
    Served(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, "CustomResourceDefinition", is_namespaced=False),
)


def of_definition(definition: JsonObject) -> Served | None:
    """Read what a CustomResourceDefinition serves, in its storage version; None when it is not established."""
    conditions = (definition.get("status") or {}).get("conditions") or ()
    is_established = any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
    spec = definition["spec"]
    version = next((each["name"] for each in spec["versions"] if each.get("storage")), None)
    if not is_established or version is None:
        return None
    names = spec["names"]
    resource = Resource(spec["group"], version, names["plural"])
    return Served(resource, names["kind"], is_namespaced=spec["scope"] == "Namespaced")
