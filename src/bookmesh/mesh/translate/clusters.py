"""Clusters: one for every port and subset of every service, and the fixed ones every proxy has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.registry import protocols, registry, services
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import bootstrap, client_tls, discovery, naming, traffic_policies
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages

_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


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
    cluster.metadata.CopyFrom(_service_metadata(service, subset))
    discovery.apply(cluster, service, port, endpoints=endpoints, is_router=is_router)
    traffic_policies.apply_connection_pool(cluster, effective.connection_pool, effective.retry_budget)
    traffic_policies.apply_outlier_detection(cluster, effective.outlier_detection)
    traffic_policies.apply_load_balancer(cluster, effective.load_balancer)
    if is_local:
        cluster.common_lb_config.locality_weighted_lb_config.SetInParent()
    is_http2 = _is_http2(port, effective.connection_pool)
    _set_http_options(cluster, port, effective, is_http2=is_http2, is_router=is_router)
    sni = naming.outbound_sni(service.hostname, port.number, subset)
    client_tls.apply(
        cluster,
        effective.tls,
        sni=sni,
        peers=peers,
        names=service.subject_alt_names,
        is_external=service.is_external,
        is_http2=is_http2,
        is_router=is_router,
        settings=settings,
    )
    return cluster


def build_inbound(
    port: int, service: services.Service, protocol: protocols.Protocol, settings: settings_.MeshSettings
) -> wire.Cluster:
    """Build the cluster of the local application's port; `port` is that of the container."""
    cluster = _new_local_cluster(naming.inbound_cluster(port), settings)
    cluster.metadata.CopyFrom(_service_metadata(service, ""))
    if protocol.is_http2:
        _put_http_options(cluster, _explicit_http2())
    elif protocol is protocols.Protocol.AUTO:
        _put_http_options(cluster, _same_as_downstream())
    return cluster


def build_passthrough(settings: settings_.MeshSettings) -> wire.Cluster:
    """Where traffic to unknown destinations goes: wherever it wanted to go."""
    cluster = _new_cluster(naming.PASSTHROUGH, settings)
    cluster.type = wire.Cluster.ORIGINAL_DST
    cluster.lb_policy = wire.Cluster.CLUSTER_PROVIDED
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
    _put_http_options(cluster, _same_as_downstream())
    return cluster


def build_blackhole(settings: settings_.MeshSettings) -> wire.Cluster:
    """A cluster without endpoints: whatever is sent there is refused."""
    cluster = _new_cluster(naming.BLACKHOLE, settings)
    cluster.type = wire.Cluster.STATIC
    return cluster


def build_inbound_passthrough(settings: settings_.MeshSettings) -> wire.Cluster:
    """Ports of the local application that no Service names."""
    cluster = _new_local_cluster(naming.INBOUND_PASSTHROUGH, settings)
    _put_http_options(cluster, _same_as_downstream())
    return cluster


def _new_cluster(name: str, settings: settings_.MeshSettings) -> wire.Cluster:
    return wire.Cluster(
        name=name,
        alt_stat_name=naming.stats_prefix(name),
        connect_timeout=messages.duration(settings.connect_timeout_s),
    )


def _new_local_cluster(name: str, settings: settings_.MeshSettings) -> wire.Cluster:
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
    traffic_policies.apply_connection_pool(cluster, None, None)
    return cluster


def _service_metadata(service: services.Service, subset: str) -> core.Metadata:
    """Facts for telemetry, under the names its labels have."""
    facts = {
        "destination_service": service.hostname,
        "destination_service_name": service.name,
        "destination_service_namespace": service.namespace,
    }
    if subset:
        facts["subset"] = subset
    return core.Metadata(filter_metadata={"istio": messages.struct(facts)})


def _is_http2(port: services.ServicePort, pool: destination_rules.ConnectionPool | None) -> bool:
    http = pool.http if pool is not None else None
    if http is not None and not http.use_client_protocol:
        if http.h2_upgrade_policy == "UPGRADE":
            return True
        if http.h2_upgrade_policy == "DO_NOT_UPGRADE":
            return False
    return port.protocol.is_http2


def _set_http_options(
    cluster: wire.Cluster,
    port: services.ServicePort,
    effective: traffic_policies.EffectivePolicy,
    *,
    is_http2: bool,
    is_router: bool,
) -> None:
    """HTTP/1.1 unless declared otherwise. On undeclared ports a sidecar keeps the caller's version."""
    pool = effective.connection_pool
    common = traffic_policies.common_http_options(pool)
    keeps_version = pool is not None and pool.http is not None and pool.http.use_client_protocol
    originates = client_tls.is_origination(effective.tls)
    if keeps_version or (port.protocol is protocols.Protocol.AUTO and not is_router and not is_http2):
        options = _same_as_downstream()
    elif is_http2:
        options = _explicit_http2()
        if pool is not None and pool.http is not None and pool.http.max_concurrent_streams:
            streams = messages.uint32(pool.http.max_concurrent_streams)
            options.explicit_http_config.http2_protocol_options.max_concurrent_streams.CopyFrom(streams)
    elif common is not None or originates:
        options = _explicit_http1()
    else:
        return
    if common is not None:
        options.common_http_protocol_options.CopyFrom(common)
    if originates and effective.tls is not None and not effective.tls.sni:
        verifies = not effective.tls.insecure_skip_verify and not effective.tls.subject_alt_names
        options.upstream_http_protocol_options.auto_sni = True
        options.upstream_http_protocol_options.auto_san_validation = verifies
    _put_http_options(cluster, options)


def _put_http_options(cluster: wire.Cluster, options: Any) -> None:
    cluster.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(messages.pack(options))


def _explicit_http1() -> wire.HttpProtocolOptions:
    return wire.HttpProtocolOptions(
        explicit_http_config=wire.HttpProtocolOptions.ExplicitHttpConfig(
            http_protocol_options=wire.Http1ProtocolOptions()
        )
    )


def _explicit_http2() -> wire.HttpProtocolOptions:
    return wire.HttpProtocolOptions(
        explicit_http_config=wire.HttpProtocolOptions.ExplicitHttpConfig(
            http2_protocol_options=wire.Http2ProtocolOptions()
        )
    )


def _same_as_downstream() -> wire.HttpProtocolOptions:
    return wire.HttpProtocolOptions(
        use_downstream_protocol_config=wire.HttpProtocolOptions.UseDownstreamHttpConfig(
            http_protocol_options=wire.Http1ProtocolOptions(),
            http2_protocol_options=wire.Http2ProtocolOptions(),
        )
    )
