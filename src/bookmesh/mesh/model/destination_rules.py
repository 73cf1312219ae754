"""DestinationRule (networking.istio.io): what happens to traffic after routing has chosen a service."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec

from bookmesh.mesh.model.base import (
    NOT_ACTED_ON,
    Duration,
    HeaderName,
    HeaderText,
    HostName,
    Int32,
    Model,
    SubsetName,
    UInt32,
    check_lasting,
    whole,
)
from bookmesh.mesh.model.connection_pools import ConnectionPool
from bookmesh.mesh.model.matching import PortSelector, WorkloadSelector

UInt64 = Annotated[int, msgspec.Meta(ge=0)]
PercentInt = Annotated[int, msgspec.Meta(ge=0, le=100)]
ServerName = Annotated[str, msgspec.Meta(max_length=255), whole(r"[^\x00]*")]
_LARGEST_TABLE: Final = 5_000_011  # Envoy's limit
_NotEmpty = Annotated[HeaderText, msgspec.Meta(min_length=1)]


class CookieAttribute(Model, frozen=True):
    """
    An attribute of a generated cookie.

    name: Such as SameSite.
    value: Its value.
    """

    name: _NotEmpty
    value: HeaderText = ""


class HttpCookie(Model, frozen=True):
    """
    A cookie to hash; it is generated when it is missing and `ttl` is given.

    name: The cookie's name.
    path: The path of a generated cookie.
    ttl: The life of a generated cookie; 0s makes a session cookie.
    attributes: More attributes of a generated cookie.
    """

    name: _NotEmpty
    path: HeaderText = ""
    ttl: Duration | None = None
    attributes: tuple[CookieAttribute, ...] = ()


class RingHash(Model, frozen=True):
    """
    The ring hash algorithm.

    minimum_ring_size: Points on the ring; 1024 without it.
    """

    minimum_ring_size: UInt64 = 0


class Maglev(Model, frozen=True):
    """
    The Maglev algorithm.

    table_size: A prime number; 65537 without it.
    """

    table_size: UInt64 = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.table_size > _LARGEST_TABLE or (self.table_size and not _is_prime(self.table_size)):
            raise ValueError(f"tableSize must be a prime number up to {_LARGEST_TABLE}")


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, math.isqrt(number) + 1))


class ConsistentHash(Model, frozen=True):
    """
    Send requests with the same key to the same endpoint.

    http_header_name: Hash this request header.
    http_cookie: Hash this cookie.
    use_source_ip: Hash the caller's address.
    http_query_parameter_name: Hash this parameter of the query.
    ring_hash: Use the ring hash algorithm, which is the default.
    maglev: Use the Maglev algorithm.
    minimum_ring_size: Points on the ring; older spelling.
    """

    http_header_name: HeaderName | None = None
    http_cookie: HttpCookie | None = None
    use_source_ip: bool | None = None
    http_query_parameter_name: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    ring_hash: RingHash | None = None
    maglev: Maglev | None = None
    minimum_ring_size: UInt64 = 0

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (
            ("http_header_name", "http_cookie", "use_source_ip", "http_query_parameter_name"),
            ("ring_hash", "maglev"),
        )


class LocalityDistribute(Model, frozen=True):
    """
    How traffic from one locality is spread.

    from_: region/zone/subzone of callers; `*` may end it.
    to: Localities with shares that add up to 100.
    """

    from_: str = msgspec.field(default="", name="from")
    to: dict[str, UInt32] = {}


class LocalityFailover(Model, frozen=True):
    """
    Where traffic goes when a region has no healthy endpoint.

    from_: The region that fails.
    to: The region that takes over.
    """

    from_: str = msgspec.field(default="", name="from")
    to: str = ""


class LocalityLoadBalancer(Model, frozen=True):
    """
    Load balancing by locality.

    distribute: Shares by locality.
    failover: Regions that take over.
    failover_priority: Labels in order of importance.
    enabled: Whether it is in force.
    """

    distribute: tuple[LocalityDistribute, ...] = ()
    failover: tuple[LocalityFailover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    enabled: bool | None = None


class ZoneAwareLoadBalancer(Model, frozen=True):
    """
    Prefer endpoints in the caller's zone.

    enabled: Whether it is in force.
    min_cluster_size: Endpoints from which on it applies.
    failover: Regions that take over.
    failover_priority: Labels in order of importance.
    """

    enabled: bool | None = None
    min_cluster_size: Annotated[int, msgspec.Meta(ge=1, le=4294967295)] | None = None
    failover: tuple[LocalityFailover, ...] = ()
    failover_priority: tuple[str, ...] = ()


class Warmup(Model, frozen=True):
    """
    Give new endpoints little traffic at first.

    duration: How long it lasts.
    minimum_percent: The share with which an endpoint starts.
    aggression: How fast the share grows.
    """

    duration: Duration
    minimum_percent: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    aggression: Annotated[float, msgspec.Meta(gt=0)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_lasting(duration=self.duration)


class BackendUtilization(Model, frozen=True):
    """
    Weigh endpoints by the load they report.

    error_utilization_penalty_percent: How much errors count.
    metric_names_for_computing_utilization: Which reported metrics count.
    weight_expiration_period: When a report is too old.
    weight_stabilization_period: How long reports are gathered before they count.
    weight_update_period: How often weights change.
    """

    error_utilization_penalty_percent: UInt32 = 0
    metric_names_for_computing_utilization: tuple[str, ...] = ()
    weight_expiration_period: str | None = None
    weight_stabilization_period: str | None = None
    weight_update_period: str | None = None


class LoadBalancer(Model, frozen=True):
    """
    How an endpoint is chosen.

    simple: One of the algorithms that need no parameter; LEAST_REQUEST without it.
    consistent_hash: Send requests with the same key to the same endpoint.
    backend_utilization: Weigh endpoints by the load they report.
    locality_lb_setting: Load balancing by locality.
    zone_aware_lb_setting: Prefer endpoints in the caller's zone.
    warmup: Give new endpoints little traffic at first.
    warmup_duration_secs: How long the warm-up lasts; older spelling.
    """

    simple: (
        Literal["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"] | None
    ) = None
    consistent_hash: ConsistentHash | None = None
    backend_utilization: Annotated[BackendUtilization | None, NOT_ACTED_ON] = None
    locality_lb_setting: LocalityLoadBalancer | None = None
    zone_aware_lb_setting: Annotated[ZoneAwareLoadBalancer | None, NOT_ACTED_ON] = None
    warmup: Warmup | None = None
    warmup_duration_secs: Duration | None = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("simple", "consistent_hash", "backend_utilization"),)


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
