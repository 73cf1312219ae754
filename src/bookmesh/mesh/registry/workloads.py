"""Workloads: running pods, as far as identity, telemetry and endpoint selection need them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import workload_entries

TLS_MODE_LABEL: Final = "security.istio.io/tlsMode"
LOCALITY_LABEL: Final = "istio-locality"
REGION_LABEL: Final = "topology.kubernetes.io/region"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
SUBZONE_LABEL: Final = "topology.istio.io/subzone"
CANONICAL_NAME_LABEL: Final = "service.istio.io/canonical-name"
CANONICAL_REVISION_LABEL: Final = "service.istio.io/canonical-revision"


@dataclass(frozen=True, slots=True)
class Locality:
    """Empty parts are unknown."""

    region: str = ""
    zone: str = ""
    subzone: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """
    One pod, or one entry that a person wrote down (`is_entry`; then `pod` is ""). `name` is that of the Deployment (or
    of the pod when it has no owner), `ports` maps the names of container ports to numbers. `service_account` is "" for
    entries without identity.
    """

    name: str
    namespace: str
    pod: str
    ip: str
    service_account: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ports: Mapping[str, int] = field(default_factory=dict, hash=False)
    locality: Locality = Locality()
    is_entry: bool = False
    weight: int = 1

    @property
    def speaks_mtls(self) -> bool:
        """Whether a sidecar accepts the mesh's mTLS: a label says so, or an entry has an identity."""
        default = "istio" if self.is_entry and self.service_account else "disabled"
        return self.labels.get(TLS_MODE_LABEL, default) == "istio"

    @property
    def is_at_address(self) -> bool:
        """Whether `ip` is an address: entries may have a name there, for those who look names up."""
        try:
            ipaddress.ip_address(self.ip)
        except ValueError:
            return False
        return True

    @property
    def canonical_name(self) -> str:
        for label in (CANONICAL_NAME_LABEL, "app.kubernetes.io/name", "app"):
            if self.labels.get(label):
                return self.labels[label]
        return self.name

    @property
    def canonical_revision(self) -> str:
        for label in (CANONICAL_REVISION_LABEL, "app.kubernetes.io/version", "version"):
            if self.labels.get(label):
                return self.labels[label]
        return "latest"


def build_workload(pod: JsonObject, *, ip: str | None = None) -> Workload:
    """Read a pod; `ip` overrides `status.podIP` for a pod whose status is not written yet."""
    metadata, spec = pod["metadata"], pod.get("spec", {})
    labels: dict[str, str] = metadata.get("labels") or {}
    return Workload(
        name=_workload_name(metadata, labels),
        namespace=metadata.get("namespace", "default"),
        pod=metadata.get("name", ""),
        ip=ip if ip is not None else pod.get("status", {}).get("podIP", ""),
        service_account=spec.get("serviceAccountName") or "default",
        labels=labels,
        ports=_container_ports(spec),
        locality=_locality_of(labels),
    )


def build_entry(name: str, namespace: str, entry: workload_entries.WorkloadEntry) -> Workload:
    """Read what a person wrote down about a workload that is no pod."""
    return Workload(
        name=name,
        namespace=namespace,
        pod="",
        ip=entry.address,
        service_account=entry.service_account,
        labels=entry.labels,
        ports=entry.ports,
        locality=parse_locality(entry.locality) if entry.locality else _locality_of(entry.labels),
        is_entry=True,
        weight=entry.weight or 1,
    )


def _workload_name(metadata: JsonObject, labels: Mapping[str, str]) -> str:
    """A ReplicaSet of a Deployment is named DEPLOYMENT-HASH; the hash is in the pod's labels as well."""
    owner = next((o for o in metadata.get("ownerReferences") or () if o.get("controller", True)), None)
    if owner is None:
        return str(metadata.get("name", ""))
    name = str(owner["name"])
    template_hash = labels.get("pod-template-hash", "")
    return name.removesuffix(f"-{template_hash}") if template_hash else name


def _container_ports(spec: JsonObject) -> dict[str, int]:
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return {
        port["name"]: port["containerPort"]
        for container in [*sidecars, *(spec.get("containers") or ())]
        for port in container.get("ports") or ()
        if port.get("name")
    }


def _locality_of(labels: Mapping[str, str]) -> Locality:
    """The label of Istio wins over those of Kubernetes' topology, which the scheduler or a person may have set."""
    if labels.get(LOCALITY_LABEL):
        return parse_locality(labels[LOCALITY_LABEL])
    return Locality(labels.get(REGION_LABEL, ""), labels.get(ZONE_LABEL, ""), labels.get(SUBZONE_LABEL, ""))


def parse_locality(text: str) -> Locality:
    """Read `region/zone/subzone`; labels cannot hold `/`, so there Istio writes `region.zone.subzone`."""
    parts = (text.replace(".", "/") if "/" not in text else text).split("/", 2)
    return Locality(*parts) if text else Locality()
