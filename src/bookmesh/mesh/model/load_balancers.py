"""How an endpoint of a service is chosen: the load balancer of a DestinationRule, or of the whole mesh."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal

import msgspec

from bookmesh.mesh.model.base import (
    NOT_ACTED_ON,
    Duration,
    HeaderName,
    HeaderText,
    Model,
    UInt32,
    check_lasting,
)

UInt64 = Annotated[int, msgspec.Meta(ge=0)]
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
