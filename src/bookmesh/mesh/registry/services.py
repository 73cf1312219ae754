"""Services: names that can be called, with the ports and protocols behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bookmesh.base.findings import ObjectRef
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.registry import protocols, workloads

Resolution = Literal["CLUSTER", "NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]
EXPORT_TO_ANNOTATION: Final = "networking.istio.io/exportTo"
Preference = Literal["any", "zone", "node"]
_DISTRIBUTION_ANNOTATION: Final = "networking.istio.io/traffic-distribution"
_PREFERENCES: Final[Mapping[str, Preference]] = {
    "preferclose": "zone",
    "prefersamezone": "zone",
    "prefersamenode": "node",
}
SESSION_LABEL: Final = "istio.io/persistent-session"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """
    `target` is a port number or the name of a container port. `prefers_name`: a port of the pod that has this port's
    name wins over `target`, as with ServiceEntries.
    """

    name: str
    number: int
    protocol: protocols.Protocol
    target: int | str
    prefers_name: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """
    One Service, or one host of a ServiceEntry (then `entry` names it).

    `address` is its ClusterIP or first virtual address, "" when there is none; addresses of entries may be ranges.
    `export_to` is as it is written: namespaces, "." for its own, "*" for all and "~" for none, () when it is not.
    `resolution` says where its endpoints come from: CLUSTER from Kubernetes, NONE from the caller, DYNAMIC_DNS from the
    name that is called. `is_external`: not part of the mesh. `prefers` says which endpoints callers take first: those
    of their zone or node, or any.
    """

    hostname: str
    name: str
    namespace: str
    address: str = ""
    ports: tuple[ServicePort, ...] = ()
    is_headless: bool = False
    external_name: str = ""
    export_to: tuple[str, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict, hash=False)
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    more_addresses: tuple[str, ...] = ()
    resolution: Resolution = "CLUSTER"
    is_external: bool = False
    subject_alt_names: tuple[str, ...] = ()
    entry: ObjectRef | None = None
    prefers: Preference = "any"

    @property
    def ref(self) -> ObjectRef:
        return self.entry or ObjectRef("Service", self.name, self.namespace)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Single virtual addresses."""
        return tuple(a for a in (self.address, *self.more_addresses) if a and "/" not in a)

    @property
    def ranges(self) -> tuple[str, ...]:
        """Virtual addresses that are ranges, in CIDR notation."""
        return tuple(a for a in (self.address, *self.more_addresses) if "/" in a)

    @property
    def port_numbers(self) -> frozenset[int]:
        return frozenset(port.number for port in self.ports)

    @property
    def keeps_sessions(self) -> bool:
        """Whether callers may come back to an endpoint that drains; something else has to send them there."""
        return bool(self.labels.get(SESSION_LABEL))

    @property
    def is_resolved_by_dns(self) -> bool:
        return bool(self.external_name) or self.resolution in ("DNS", "DNS_ROUND_ROBIN")

    @property
    def is_resolved_when_called(self) -> bool:
        return self.resolution == "DYNAMIC_DNS"

    def port(self, number: int) -> ServicePort | None:
        return next((port for port in self.ports if port.number == number), None)

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether pods with these labels are behind the service; without a selector none are."""
        return bool(self.selector) and self.selector.items() <= labels.items()


def target_port(port: ServicePort, workload: workloads.Workload) -> int | None:
    """The port of one workload behind a service port; None when it has no port of that name."""
    if isinstance(port.target, str):
        return workload.ports.get(port.target)
    own = workload.ports.get(port.name) if port.prefers_name or workload.is_entry else None
    return own or port.target


def preference(annotations: Mapping[str, str], written: str = "") -> Preference:
    """Which endpoints callers take first; what the specification says (`written`) goes before the annotation."""
    for text in (written, annotations.get(_DISTRIBUTION_ANNOTATION, "")):
        found = _PREFERENCES.get(text.lower())
        if found is not None:
            return found
    return "any"


def build_service(service: JsonObject, *, domain: str = "cluster.local") -> Service:
    """Read a Service object; UDP ports are left out, since the mesh does not carry them."""
    metadata, spec = service["metadata"], service.get("spec", {})
    name, namespace = metadata["name"], metadata.get("namespace", "default")
    cluster_ip = spec.get("clusterIP") or ""
    annotations = metadata.get("annotations") or {}
    export_to = annotations.get(EXPORT_TO_ANNOTATION, "")
    ports = (_build_port(port) for port in spec.get("ports") or ())
    return Service(
        hostname=f"{name}.{namespace}.svc.{domain}",
        name=name,
        namespace=namespace,
        address="" if cluster_ip == "None" else cluster_ip,
        ports=tuple(port for port in ports if port.protocol is not protocols.Protocol.UDP),
        is_headless=cluster_ip == "None",
        external_name=spec.get("externalName", "") if spec.get("type") == "ExternalName" else "",
        export_to=tuple(part.strip() for part in export_to.split(",") if part.strip()),
        selector=spec.get("selector") or {},
        labels=metadata.get("labels") or {},
        prefers=preference(annotations, spec.get("trafficDistribution") or ""),
    )


def _build_port(port: JsonObject) -> ServicePort:
    number: int = port["port"]
    return ServicePort(
        name=port.get("name", ""),
        number=number,
        protocol=protocols.protocol_for(
            name=port.get("name", ""),
            app_protocol=port.get("appProtocol"),
            transport=port.get("protocol", "TCP"),
            number=number,
        ),
        target=port.get("targetPort", number),
    )
