"""Mesh-wide settings: the part of Istio's MeshConfig this mesh acts on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from bookmesh.mesh.model import connection_pools, http_actions, load_balancers
from bookmesh.mesh.model.gateway_api import gateways

MtlsMode = Literal["STRICT", "PERMISSIVE", "DISABLE"]
OutboundTrafficPolicy = Literal["ALLOW_ANY", "REGISTRY_ONLY"]
AccessLogEncoding = Literal["TEXT", "JSON"]
PathNormalization = Literal["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]
IngressMode = Literal["OFF", "DEFAULT", "STRICT"]
_INGRESS_SERVICE: Final = "istio-ingressgateway"


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
class Topology:
    """
    What stands before a gateway: `trusted_proxies` that tell the truth about callers. `client_certificates` is what
    becomes of callers' certificates, in Istio's words. `has_proxy_protocol`: connections begin with who they are from.
    """

    trusted_proxies: int = 0
    client_certificates: str = "SANITIZE_SET"
    has_proxy_protocol: bool = False


@dataclass(frozen=True, slots=True)
class ProxyHeaders:
    """
    What proxies add to requests and answers. `server` is the answer's header of that name, None for the proxy's own; it
    is left as the application has it if the proxy `hides_itself`. `numbers_requests`: a request without `x-request-id`
    gets one. `counts_attempts` is about `x-envoy-attempt-count`, `tells_more` about Envoy's other headers for people.
    `client_certificates`, in Istio's words, and the parts of a certificate are about `x-forwarded-client-cert`.
    """

    server: str | None = None
    hides_itself: bool = False
    numbers_requests: bool = True
    counts_attempts: bool = True
    tells_more: bool = True
    client_certificates: str = "APPEND_FORWARD"
    certificate_parts: frozenset[str] = frozenset({"subject", "dns", "uri"})


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """
    `mtls_mode` is what sidecars accept; `is_auto_mtls` lets clients use mTLS wherever the peer speaks it;
    `access_log_path` "" switches access logs off, `access_log_format` "" is Istio's own; `ca_certificates` is the file
    with which TLS servers outside the mesh are verified. `stats_inclusions` are (prefix | suffix | regex, text) of
    statistics that all proxies keep. `is_locality_enabled` allows load balancing by locality; `locality` is for rules
    that say nothing about it. `egress_proxy` is (host, port, subset) of the service that takes what goes to services
    nobody knows; a Sidecar says so. `ingress` is about Kubernetes Ingresses. The fields `…_export_to` say who sees what
    does not say it itself. `least_tls_version` is for mTLS inside the mesh, `cipher_suites` and `ecdh_curves` for TLS
    that is not, () for Envoy's own. `default_retries` are those of routes that say nothing about them, None for Istio's
    own. `environment` are variables of all proxies, `concurrency` their worker threads (0 for one a CPU, None for the
    image's own), `proxy_headers` what they add to HTTP. `detection_timeout_s` is how long it takes to see that a client
    waits for the server's first word, 0 for as long as it likes. `topology` is what stands before gateways that do not
    say it themselves. `drain_s` is how long connections to a changed listener may go on, None for the image's own.
    `discovery_selectors` are for the namespaces that the mesh sees, () for all of them.
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
    locality: load_balancers.LocalityLoadBalancer = field(
        default_factory=load_balancers.LocalityLoadBalancer, hash=False
    )
    egress_proxy: tuple[str, int, str] | None = None
    ingress: IngressSettings = field(default_factory=IngressSettings)
    access_log_format: str = ""
    access_log_encoding: AccessLogEncoding = "TEXT"
    default_retries: http_actions.HttpRetry | None = None
    service_export_to: tuple[str, ...] = ("*",)
    virtual_service_export_to: tuple[str, ...] = ("*",)
    destination_rule_export_to: tuple[str, ...] = ("*",)
    least_tls_version: Literal["TLSV1_2", "TLSV1_3"] = "TLSV1_2"
    path_normalization: PathNormalization = "BASE"
    upgrades_to_http2: bool = False
    tcp_keepalive: connection_pools.TcpKeepalive | None = None
    environment: tuple[tuple[str, str], ...] = ()
    concurrency: int | None = None
    trust_domain_aliases: tuple[str, ...] = ()
    dns_refresh_s: float = 60.0
    detection_timeout_s: float = 0.0
    cipher_suites: tuple[str, ...] = ()
    ecdh_curves: tuple[str, ...] = ()
    topology: Topology = Topology()
    proxy_headers: ProxyHeaders = ProxyHeaders()
    drain_s: int | None = None
    discovery_selectors: tuple[gateways.LabelSelector, ...] = field(default=(), hash=False)

    @property
    def trust_domains(self) -> tuple[str, ...]:
        """The own trust domain, and those whose identities count as much."""
        return tuple(dict.fromkeys((self.trust_domain, *self.trust_domain_aliases)))
