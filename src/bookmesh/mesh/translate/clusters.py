"""Clusters: one for every port and subset of every service, and the fixed ones every proxy has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bookmesh.mesh.model import connection_pools
from bookmesh.mesh.registry import protocols, registry, services
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import (
    bootstrap,
    client_tls,
    discovery,
    http_options,
    naming,
    traffic_policies,
    transport_sockets,
)
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages

# Of the endpoints that a session leads back to, those that it may lead to.
_REACHED_AGAIN: Final = (
    core.HealthStatus.HEALTHY,
    core.HealthStatus.DRAINING,
    core.HealthStatus.UNKNOWN,
    core.HealthStatus.DEGRADED,
)


def build_outbound(
    service: services.Service,
    port: services.ServicePort,
    *,
    subset: str,
    policy: policies.HostPolicy,
    peers: client_tls.Peers,
    endpoints: Sequence[registry.Endpoint] = (),
    is_local: bool = False,
    is_router: bool,
    settings: settings_.MeshSettings,
) -> wire.Cluster:
    """
    Build the cluster of one port of a service, or of one subset of it; `endpoints` go into those resolved by DNS,
    and `is_local` says that shares of localities count.

    Source: Service `spec.ports[]`, DestinationRule `subsets[]` and `trafficPolicy`.
    """
    effective = traffic_policies.effective_policy(policy, port=port.number, subset=subset)
    cluster = _new_cluster(naming.outbound_cluster(service.hostname, port.number, subset), settings)
    cluster.metadata.CopyFrom(_service_metadata(service, subset, policy.path))
    discovery.apply(
        cluster,
        service,
        port,
        endpoints=endpoints,
        is_router=is_router,
        dns_refresh_s=settings.dns_refresh_s,
    )
    traffic_policies.apply_keepalive(cluster, settings.tcp_keepalive)
    traffic_policies.apply_connection_pool(cluster, effective.connection_pool, effective.retry_budget)
    traffic_policies.apply_outlier_detection(cluster, effective.outlier_detection)
    traffic_policies.apply_load_balancer(cluster, effective.load_balancer)
    if service.prefers != "any":  # who is not ready is known, and gets nothing
        cluster.common_lb_config.healthy_panic_threshold.CopyFrom(core.Percent(value=0))
    if service.keeps_sessions:
        cluster.common_lb_config.override_host_status.statuses.extend(_REACHED_AGAIN)
    if is_local:
        cluster.common_lb_config.locality_weighted_lb_config.SetInParent()
    pool, upgrades = effective.connection_pool, settings.upgrades_to_http2
    is_http2 = http_options.is_http2(port, pool, is_router=is_router, upgrades=upgrades)
    http_options.apply_outbound(cluster, port, effective, speaks_http2=is_http2, is_router=is_router)
    sni = naming.outbound_sni(service.hostname, port.number, subset)
    client_tls.apply(
        cluster,
        effective.tls,
        sni=sni,
        peers=peers,
        names=service.subject_alt_names,
        is_external=service.is_external,
        is_http2=is_http2,
        uses_secrets=is_router or policy.is_selective,
        settings=settings,
    )
    if effective.proxy_protocol is not None:
        transport_sockets.announce_caller(cluster, effective.proxy_protocol)
    return cluster


def build_by_server_name(
    name: str,
    service: services.Service,
    port: services.ServicePort,
    *,
    subset: str,
    policy: policies.HostPolicy,
    settings: settings_.MeshSettings,
) -> wire.Cluster:
    """Build the cluster of a service port for connections that are passed on as they are: no TLS, no HTTP."""
    effective = traffic_policies.effective_policy(policy, port=port.number, subset=subset)
    cluster = _new_cluster(name, settings)
    cluster.metadata.CopyFrom(_service_metadata(service, subset, policy.path))
    discovery.apply_eds(cluster)
    traffic_policies.apply_connection_pool(cluster, effective.connection_pool, effective.retry_budget)
    traffic_policies.apply_outlier_detection(cluster, effective.outlier_detection)
    traffic_policies.apply_load_balancer(cluster, effective.load_balancer)
    return cluster


def build_inbound(
    port: int,
    service: services.Service,
    protocol: protocols.Protocol,
    settings: settings_.MeshSettings,
    *,
    pool: connection_pools.ConnectionPool | None = None,
    endpoint: str = "",
) -> wire.Cluster:
    """
    Build the cluster of the local application's port; `port` is that of the container.

    Args:
        endpoint: `ADDRESS:PORT` or `unix:///PATH` where the application listens; "" for where the caller wanted to go.

    Source: Service `spec.ports[]`, Sidecar `inboundConnectionPool` and `ingress[]`, DestinationRule `trafficPolicy`.
    """
    cluster = _new_local_cluster(naming.inbound_cluster(port), settings, pool)
    if endpoint:
        _set_endpoint(cluster, endpoint)
    cluster.metadata.CopyFrom(_service_metadata(service))
    http_options.apply_inbound(cluster, protocol, pool)
    return cluster


def _set_endpoint(cluster: wire.Cluster, endpoint: str) -> None:
    """One fixed endpoint in place of the caller's destination; only addresses need the source that tells our own."""
    cluster.type = wire.Cluster.STATIC
    cluster.lb_policy = wire.Cluster.ROUND_ROBIN
    cluster.load_assignment.cluster_name = cluster.name
    target = cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint.address
    if endpoint.startswith("unix://"):
        target.pipe.path = endpoint.removeprefix("unix://")
        cluster.ClearField("upstream_bind_config")
    else:
        host, _, port = endpoint.rpartition(":")
        target.socket_address.address, target.socket_address.port_value = host, int(port)


def build_passthrough(settings: settings_.MeshSettings) -> wire.Cluster:
    """Where traffic to unknown destinations goes: wherever it wanted to go."""
    cluster = _new_cluster(naming.PASSTHROUGH, settings)
    cluster.type = wire.Cluster.ORIGINAL_DST
    cluster.lb_policy = wire.Cluster.CLUSTER_PROVIDED
    traffic_policies.apply_keepalive(cluster, settings.tcp_keepalive)
    cluster.metadata.filter_metadata["istio"].CopyFrom(
        messages.struct(
            {
                "destination_service": "unknown",
                "destination_service_name": naming.PASSTHROUGH,
                "destination_service_namespace": "unknown",
            }
        )
    )
    traffic_policies.apply_connection_pool(cluster, None, None)
    http_options.pass_on(cluster)
    return cluster


def build_blackhole(settings: settings_.MeshSettings) -> wire.Cluster:
    """A cluster without endpoints: whatever is sent there is refused."""
    cluster = _new_cluster(naming.BLACKHOLE, settings)
    cluster.type = wire.Cluster.STATIC
    return cluster


def build_inbound_passthrough(settings: settings_.MeshSettings) -> wire.Cluster:
    """Ports of the local application that no Service names."""
    cluster = _new_local_cluster(naming.INBOUND_PASSTHROUGH, settings)
    http_options.pass_on(cluster)
    return cluster


def _new_cluster(name: str, settings: settings_.MeshSettings) -> wire.Cluster:
    return wire.Cluster(
        name=name,
        alt_stat_name=naming.stats_prefix(name),
        connect_timeout=messages.duration(settings.connect_timeout_s),
    )


def _new_local_cluster(
    name: str, settings: settings_.MeshSettings, pool: connection_pools.ConnectionPool | None = None
) -> wire.Cluster:
    cluster = _new_cluster(name, settings)
    cluster.type = wire.Cluster.ORIGINAL_DST
    cluster.lb_policy = wire.Cluster.CLUSTER_PROVIDED
    cluster.upstream_bind_config.CopyFrom(
        core.BindConfig(
            source_address=core.SocketAddress(address=naming.INBOUND_SOURCE, port_value=0),
            socket_options=[
                core.SocketOption(
                    description="own traffic",
                    level=bootstrap.SOL_SOCKET,
                    name=bootstrap.SO_MARK,
                    int_value=bootstrap.SOCKET_MARK,
                    state=core.SocketOption.STATE_PREBIND,
                )
            ],
        )
    )
    traffic_policies.apply_keepalive(cluster, settings.tcp_keepalive)
    traffic_policies.apply_connection_pool(cluster, pool, None)
    return cluster


def _service_metadata(service: services.Service, subset: str = "", path: str = "") -> core.Metadata:
    """Facts for telemetry, under the names its labels have; and the DestinationRule, for who reads a config dump."""
    facts = {
        "destination_service": service.hostname,
        "destination_service_name": service.name,
        "destination_service_namespace": service.namespace,
    }
    if subset:
        facts["subset"] = subset
    if path:
        facts["config"] = path
    return core.Metadata(filter_metadata={"istio": messages.struct(facts)})
