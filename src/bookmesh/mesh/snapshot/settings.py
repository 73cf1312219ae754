"""Mesh-wide settings: the part of Istio's MeshConfig this mesh acts on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

MtlsMode = Literal["STRICT", "PERMISSIVE", "DISABLE"]
OutboundTrafficPolicy = Literal["ALLOW_ANY", "REGISTRY_ONLY"]
_INGRESS_SERVICE: Final = "istio-ingressgateway"
IngressMode = Literal["OFF", "DEFAULT", "STRICT"]


@dataclass(frozen=True, slots=True)
class IngressSettings:
    """
    Kubernetes Ingresses: `mode` DEFAULT serves those without a class as well, STRICT does not, and OFF none by
    annotation. `class_name` is what the annotation says; `service` is the Service whose addresses the Ingresses get.
    `selector` is label `istio` of the gateway's pods, "" for the one that goes with the service.
    """

    mode: IngressMode = "STRICT"
    class_name: str = "istio"
    service: str = _INGRESS_SERVICE
    selector: str = ""

    @property
    def gateway_label(self) -> str:
        """The value of label `istio` on the pods of the gateway."""
        return self.selector or ("ingressgateway" if self.service in ("", _INGRESS_SERVICE) else self.service)


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """
    `mtls_mode` is what sidecars accept; `is_auto_mtls` lets clients use mTLS wherever the peer speaks it;
    `access_log_path` "" switches access logs off; `ca_certificates` is the file with which TLS servers outside the
    mesh are verified. `stats_inclusions` are (prefix | suffix | regex, text) of statistics that all proxies keep.
    `is_locality_enabled` allows load balancing by locality. `egress_proxy` is (host, port, subset) of the service that
    takes what goes to services nobody knows; a Sidecar says so. `ingress` is about Kubernetes Ingresses.
    """

    root_namespace: str = "istio-system"
    domain: str = "cluster.local"
    trust_domain: str = "cluster.local"
    cluster_id: str = "Kubernetes"
    mtls_mode: MtlsMode = "PERMISSIVE"
    is_auto_mtls: bool = True
    outbound_traffic_policy: OutboundTrafficPolicy = "ALLOW_ANY"
    access_log_path: str = "/dev/stdout"
    connect_timeout_s: float = 10.0
    ca_certificates: str = "/etc/ssl/certs/ca-certificates.crt"
    stats_inclusions: tuple[tuple[str, str], ...] = ()
    is_locality_enabled: bool = True
    egress_proxy: tuple[str, int, str] | None = None
    ingress: IngressSettings = field(default_factory=IngressSettings)
