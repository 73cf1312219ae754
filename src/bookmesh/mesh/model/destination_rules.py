"""DestinationRule (networking.istio.io): what happens to traffic after routing has chosen a service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import (
    NOT_ACTED_ON,
    Duration,
    HostName,
    Int32,
    Model,
    SubsetName,
    UInt32,
    check_lasting,
    whole,
)
from bookmesh.mesh.model.connection_pools import ConnectionPool
from bookmesh.mesh.model.load_balancers import LoadBalancer
from bookmesh.mesh.model.matching import PortSelector, WorkloadSelector

PercentInt = Annotated[int, msgspec.Meta(ge=0, le=100)]
ServerName = Annotated[str, msgspec.Meta(max_length=255), whole(r"[^\x00]*")]


class OutlierDetection(Model, frozen=True):
    """
    When an endpoint that fails gets no traffic for a while.

    consecutive5xx_errors: Errors in a row after which it is ejected; 5 without it, 0 switches this off.
    consecutive_gateway_errors: Errors 502, 503 and 504 in a row after which it is ejected.
    consecutive_local_origin_failures: Failed connections in a row after which it is ejected.
    split_external_local_origin_errors: Whether failed connections are counted apart.
    consecutive_errors: Errors in a row; deprecated, use consecutiveGatewayErrors or consecutive5xxErrors.
    interval: The time between checks; 10s without it.
    base_ejection_time: How long the first ejection lasts; 30s without it.
    max_ejection_percent: How many of the endpoints may be ejected; 10 without it.
    min_health_percent: Healthy endpoints below which ejection is switched off.
    outlier_detection_http_error_codes: Status codes that count as errors.
    """

    consecutive5xx_errors: UInt32 | None = msgspec.field(default=None, name="consecutive5xxErrors")
    consecutive_gateway_errors: UInt32 | None = None
    consecutive_local_origin_failures: UInt32 | None = None
    split_external_local_origin_errors: bool = False
    consecutive_errors: Annotated[Int32, NOT_ACTED_ON] = 0
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: PercentInt = 0
    min_health_percent: PercentInt = 0
    outlier_detection_http_error_codes: tuple[Annotated[int, msgspec.Meta(ge=100, le=599)], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_lasting(interval=self.interval, baseEjectionTime=self.base_ejection_time)


class ClientTls(Model, frozen=True):
    """
    TLS on connections to the service.

    mode: DISABLE, SIMPLE, MUTUAL, or ISTIO_MUTUAL with the certificates of the mesh.
    client_certificate: The file of the client certificate, for MUTUAL.
    private_key: The file of its key, for MUTUAL.
    ca_certificates: The file with which the server is verified.
    ca_crl: A file of revoked certificates.
    credential_name: A secret that holds the certificates.
    subject_alt_names: Names the server's certificate must have one of.
    sni: The name in the TLS greeting.
    insecure_skip_verify: Whether the server is not verified.
    """

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] = "DISABLE"
    client_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    credential_name: str = ""
    subject_alt_names: tuple[str, ...] = ()
    sni: ServerName = ""
    insecure_skip_verify: bool | None = None


class PortTrafficPolicy(Model, frozen=True):
    """
    The policy of one port; nothing of the policy of the whole service applies to it.

    port: The port of the service.
    load_balancer: How an endpoint is chosen.
    connection_pool: Limits on connections and requests.
    outlier_detection: When an endpoint that fails gets no traffic for a while.
    tls: TLS on connections to the service.
    """

    port: PortSelector | None = None
    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTls | None = None


class Tunnel(Model, frozen=True):
    """
    Tunnel TCP through an HTTP proxy.

    protocol: CONNECT or POST.
    target_host: The host at the end of the tunnel.
    target_port: The port at the end of the tunnel.
    """

    target_host: HostName
    target_port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    protocol: Literal["", "CONNECT", "POST"] = ""


class ProxyProtocol(Model, frozen=True):
    """
    Tell the server the caller's address by the PROXY protocol.

    version: V1 or V2.
    """

    version: Literal["V1", "V2"] = "V1"


class RetryBudget(Model, frozen=True):
    """
    A limit on active retries that grows with the load.

    percent: Retries as a share of active requests.
    min_retry_concurrency: Retries that are always allowed.
    budget_interval: The interval over which requests are counted.
    """

    percent: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    min_retry_concurrency: UInt32 = 0
    budget_interval: Annotated[Duration | None, NOT_ACTED_ON] = None


class TrafficPolicy(Model, frozen=True):
    """
    How connections to a service are made.

    load_balancer: How an endpoint is chosen.
    connection_pool: Limits on connections and requests.
    outlier_detection: When an endpoint that fails gets no traffic for a while.
    tls: TLS on connections to the service.
    port_level_settings: Policies of single ports, each in place of all of the above.
    tunnel: Tunnel TCP through an HTTP proxy.
    proxy_protocol: Tell the server the caller's address.
    retry_budget: A limit on active retries.
    """

    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTls | None = None
    port_level_settings: tuple[PortTrafficPolicy, ...] = ()
    tunnel: Tunnel | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


class Subset(Model, frozen=True):
    """
    A named part of the endpoints, such as one version.

    name: The name routes refer to.
    labels: Labels the pods must have.
    traffic_policy: What differs from the policy of the whole service.
    """

    name: SubsetName
    labels: dict[str, str] = {}
    traffic_policy: TrafficPolicy | None = None


class DestinationRule(Model, frozen=True):
    """
    Policies for the traffic to one service, and its subsets.

    host: The service's name; may start with a wildcard.
    traffic_policy: How connections to the service are made.
    subsets: Named parts of the endpoints.
    export_to: Namespaces that see the rule; "." is the own one, "*" means all, which is the default.
    workload_selector: The callers to which the rule applies; all without it.
    """

    host: HostName
    traffic_policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: tuple[str, ...] = ()
    workload_selector: WorkloadSelector | None = None

    def levels(self) -> Iterator[TrafficPolicy | PortTrafficPolicy]:
        """Every policy in the rule: of the host, of subsets, of ports."""
        for policy in (self.traffic_policy, *(subset.traffic_policy for subset in self.subsets)):
            if policy is not None:
                yield policy
                yield from policy.port_level_settings
