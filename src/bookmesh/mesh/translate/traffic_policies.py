"""What a DestinationRule's traffic policy does to a cluster: load balancing, circuit breaking, ejection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.model import connection_pools, destination_rules, load_balancers
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages

_UNLIMITED: Final = 4294967295
_DEFAULT_RETRY_PERCENT: Final = 20.0
_DEFAULT_RETRY_CONCURRENCY: Final = 3


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The policy of one port of one subset, after all overrides."""

    load_balancer: load_balancers.LoadBalancer | None = None
    connection_pool: connection_pools.ConnectionPool | None = None
    outlier_detection: destination_rules.OutlierDetection | None = None
    tls: destination_rules.ClientTls | None = None
    retry_budget: destination_rules.RetryBudget | None = None
    proxy_protocol: destination_rules.ProxyProtocol | None = None


def effective_policy(policy: policies.HostPolicy, *, port: int, subset: str = "") -> EffectivePolicy:
    """
    Resolve the overrides: a subset's settings replace those of the host one by one, a port's replace all that a port
    can have.

    Source: DestinationRule `trafficPolicy`, `subsets[].trafficPolicy`, `portLevelSettings`.
    """
    levels = [policy.traffic_policy]
    found = policy.subset(subset) if subset else None
    if found is not None:
        levels.append(found.traffic_policy)
    effective = EffectivePolicy()
    for level in levels:
        if level is not None:
            effective = _override(effective, level, port)
    return effective


def _override(below: EffectivePolicy, level: destination_rules.TrafficPolicy, port: int) -> EffectivePolicy:
    whole = EffectivePolicy(
        load_balancer=level.load_balancer or below.load_balancer,
        connection_pool=level.connection_pool or below.connection_pool,
        outlier_detection=level.outlier_detection or below.outlier_detection,
        tls=level.tls or below.tls,
        retry_budget=level.retry_budget or below.retry_budget,
        proxy_protocol=level.proxy_protocol or below.proxy_protocol,
    )
    for own in level.port_level_settings:
        if own.port is not None and own.port.number == port:
            return replace(
                whole,
                load_balancer=own.load_balancer,
                connection_pool=own.connection_pool,
                outlier_detection=own.outlier_detection,
                tls=own.tls,
            )
    return whole


def apply_load_balancer(cluster: wire.Cluster, settings: load_balancers.LoadBalancer | None) -> None:
    """Set the algorithm; clusters of type ORIGINAL_DST, and of types of their own, bring theirs."""
    simple = settings.simple if settings is not None else None
    if cluster.HasField("cluster_type"):
        return
    if cluster.type == wire.Cluster.ORIGINAL_DST or simple == "PASSTHROUGH":
        cluster.type = wire.Cluster.ORIGINAL_DST
        cluster.lb_policy = wire.Cluster.CLUSTER_PROVIDED
        cluster.ClearField("eds_cluster_config")
        return
    if not cluster.common_lb_config.HasField("healthy_panic_threshold"):
        # Endpoints that are not ready are known as well, and never get traffic.
        cluster.common_lb_config.healthy_panic_threshold.SetInParent()
    if settings is not None and settings.consistent_hash is not None:
        _apply_consistent_hash(cluster, settings.consistent_hash)
    elif simple == "RANDOM":
        cluster.lb_policy = wire.Cluster.RANDOM
    elif simple == "ROUND_ROBIN":
        cluster.lb_policy = wire.Cluster.ROUND_ROBIN
    else:
        cluster.lb_policy = wire.Cluster.LEAST_REQUEST
    if settings is not None:
        _apply_warmup(cluster, settings)


def _apply_warmup(cluster: wire.Cluster, settings: load_balancers.LoadBalancer) -> None:
    """Only the algorithms that know weights can give new endpoints less."""
    duration = settings.warmup.duration if settings.warmup is not None else settings.warmup_duration_secs
    if duration is None:
        return
    slow = wire.Cluster.SlowStartConfig(slow_start_window=messages.duration(parse_duration_s(duration)))
    if settings.warmup is not None:
        if settings.warmup.minimum_percent is not None:
            slow.min_weight_percent.value = settings.warmup.minimum_percent
        if settings.warmup.aggression is not None:
            slow.aggression.default_value = settings.warmup.aggression
            slow.aggression.runtime_key = "warmup.aggression"
    if cluster.lb_policy == wire.Cluster.ROUND_ROBIN:
        cluster.round_robin_lb_config.slow_start_config.CopyFrom(slow)
    elif cluster.lb_policy == wire.Cluster.LEAST_REQUEST:
        cluster.least_request_lb_config.slow_start_config.CopyFrom(slow)


def _apply_consistent_hash(cluster: wire.Cluster, settings: load_balancers.ConsistentHash) -> None:
    if settings.maglev is not None:
        cluster.lb_policy = wire.Cluster.MAGLEV
        if settings.maglev.table_size:
            cluster.maglev_lb_config.table_size.value = settings.maglev.table_size
        return
    cluster.lb_policy = wire.Cluster.RING_HASH
    size = settings.minimum_ring_size or 1024
    if settings.ring_hash is not None and settings.ring_hash.minimum_ring_size:
        size = settings.ring_hash.minimum_ring_size
    cluster.ring_hash_lb_config.minimum_ring_size.value = size


def apply_connection_pool(
    cluster: wire.Cluster,
    settings: connection_pools.ConnectionPool | None,
    budget: destination_rules.RetryBudget | None,
) -> None:
    """Set thresholds, which are without limit unless the policy says otherwise, and connect timeout and keepalive."""
    tcp = (
        settings.tcp if settings is not None and settings.tcp is not None else connection_pools.TcpSettings()
    )
    http = (
        settings.http
        if settings is not None and settings.http is not None
        else connection_pools.HttpSettings()
    )
    thresholds = wire.CircuitBreakers.Thresholds(
        max_connections=messages.uint32(tcp.max_connections or _UNLIMITED),
        max_pending_requests=messages.uint32(http.http1_max_pending_requests or _UNLIMITED),
        max_requests=messages.uint32(http.http2_max_requests or _UNLIMITED),
        max_retries=messages.uint32(http.max_retries or _UNLIMITED),
        track_remaining=True,
    )
    if budget is not None:
        percent = _DEFAULT_RETRY_PERCENT if budget.percent is None else budget.percent
        concurrency = budget.min_retry_concurrency or _DEFAULT_RETRY_CONCURRENCY
        thresholds.retry_budget.budget_percent.value = percent
        thresholds.retry_budget.min_retry_concurrency.value = concurrency
    cluster.circuit_breakers.thresholds.append(thresholds)
    if tcp.connect_timeout is not None:
        cluster.connect_timeout.CopyFrom(messages.duration(parse_duration_s(tcp.connect_timeout)))
    apply_keepalive(cluster, tcp.tcp_keepalive)


def apply_keepalive(cluster: wire.Cluster, settings: connection_pools.TcpKeepalive | None) -> None:
    """Switch keepalive on; what these settings leave open stays as settings before them had it."""
    if settings is not None:
        cluster.upstream_connection_options.tcp_keepalive.MergeFrom(_keepalive(settings))


def _keepalive(settings: connection_pools.TcpKeepalive) -> wire.TcpKeepalive:
    """An empty structure switches keepalive on with the values of the operating system."""
    keepalive = wire.TcpKeepalive()
    if settings.probes:
        keepalive.keepalive_probes.value = settings.probes
    if settings.time is not None:
        keepalive.keepalive_time.value = round(parse_duration_s(settings.time))
    if settings.interval is not None:
        keepalive.keepalive_interval.value = round(parse_duration_s(settings.interval))
    return keepalive


def common_http_options(
    settings: connection_pools.ConnectionPool | None,
) -> core.HttpProtocolOptions | None:
    """Limits on single connections; None when the policy sets none."""
    options = core.HttpProtocolOptions()
    http = settings.http if settings is not None else None
    tcp = settings.tcp if settings is not None else None
    idle = http.idle_timeout if http is not None else None
    if idle is None and tcp is not None:
        idle = tcp.idle_timeout
    if idle is not None:
        options.idle_timeout.CopyFrom(messages.duration(parse_duration_s(idle)))
    if http is not None and http.max_requests_per_connection > 0:
        options.max_requests_per_connection.value = http.max_requests_per_connection
    if tcp is not None and tcp.max_connection_duration is not None:
        duration = messages.duration(parse_duration_s(tcp.max_connection_duration))
        options.max_connection_duration.CopyFrom(duration)
    return options if options.ByteSize() else None


def apply_outlier_detection(
    cluster: wire.Cluster, settings: destination_rules.OutlierDetection | None
) -> None:
    """
    Set when endpoints are ejected. Success rates never count; an error kind set to 0 does not count.

    The panic threshold becomes `minHealthPercent`, which is 0 by default: with few endpoints, sending traffic to
    ejected ones is what people do not expect.
    """
    if settings is None:
        return
    out = wire.OutlierDetection(enforcing_success_rate=messages.uint32(0))
    if settings.consecutive5xx_errors is not None:
        out.consecutive_5xx.value = settings.consecutive5xx_errors
        out.enforcing_consecutive_5xx.value = 100 if settings.consecutive5xx_errors else 0
    if settings.consecutive_gateway_errors is not None:
        out.consecutive_gateway_failure.value = settings.consecutive_gateway_errors
        out.enforcing_consecutive_gateway_failure.value = 100 if settings.consecutive_gateway_errors else 0
    if settings.interval is not None:
        out.interval.CopyFrom(messages.duration(parse_duration_s(settings.interval)))
    if settings.base_ejection_time is not None:
        out.base_ejection_time.CopyFrom(messages.duration(parse_duration_s(settings.base_ejection_time)))
    if settings.max_ejection_percent:
        out.max_ejection_percent.value = settings.max_ejection_percent
    if settings.split_external_local_origin_errors:
        out.split_external_local_origin_errors = True
        out.enforcing_local_origin_success_rate.value = 0
        if settings.consecutive_local_origin_failures:
            out.consecutive_local_origin_failure.value = settings.consecutive_local_origin_failures
            out.enforcing_consecutive_local_origin_failure.value = 100
    cluster.outlier_detection.CopyFrom(out)
    threshold = core.Percent(value=settings.min_health_percent)
    cluster.common_lb_config.healthy_panic_threshold.CopyFrom(threshold)
