"""Where a cluster's endpoints come from: from us (EDS), from DNS, or from the connection itself."""

from __future__ import annotations

from collections.abc import Sequence

from bookmesh.mesh.registry import registry, services
from bookmesh.mesh.translate import dynamic_forwarding, transport_sockets
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages


def apply(
    cluster: wire.Cluster,
    service: services.Service,
    port: services.ServicePort,
    *,
    endpoints: Sequence[registry.Endpoint],
    is_router: bool,
    dns_refresh_s: float,
) -> None:
    """
    Set the type of a cluster; `endpoints` are used for those found by DNS only.

    Headless services are called by the address of a pod, so a sidecar only has to let connections through; so are
    entries with resolution NONE. Nobody calls them there at a gateway, which has to know endpoints.

    Source: Service `spec.type`, ServiceEntry `resolution`.
    """
    if service.is_resolved_when_called:
        dynamic_forwarding.apply(cluster)
    elif service.is_resolved_by_dns:
        _resolve_by_dns(cluster, service, port, endpoints, dns_refresh_s)
    elif (service.resolution == "NONE" or service.is_headless) and not is_router:
        cluster.type = wire.Cluster.ORIGINAL_DST
    else:
        apply_eds(cluster)


def apply_eds(cluster: wire.Cluster) -> None:
    """Endpoints come from us, under the name of the cluster."""
    cluster.type = wire.Cluster.EDS
    source = wire.Cluster.EdsClusterConfig(
        eds_config=transport_sockets.ads_source(), service_name=cluster.name
    )
    cluster.eds_cluster_config.CopyFrom(source)


def _resolve_by_dns(
    cluster: wire.Cluster,
    service: services.Service,
    port: services.ServicePort,
    endpoints: Sequence[registry.Endpoint],
    dns_refresh_s: float,
) -> None:
    """
    All addresses of all names; with round robin the one address that the name has at the moment. Envoy takes that only
    with a name, so a service without any, which answers nothing either way, is as one with all addresses of none.
    """
    is_logical = service.resolution == "DNS_ROUND_ROBIN" and bool(endpoints)
    cluster.type = wire.Cluster.LOGICAL_DNS if is_logical else wire.Cluster.STRICT_DNS
    cluster.dns_lookup_family = wire.Cluster.V4_ONLY
    if service.external_name:
        target = port.target if isinstance(port.target, int) else port.number
        endpoints = [registry.Endpoint(service.external_name, target)]
    else:
        cluster.dns_refresh_rate.CopyFrom(messages.duration(dns_refresh_s))
        cluster.respect_dns_ttl = True
    if is_logical:
        endpoints = endpoints[:1]
    members = [
        wire.LbEndpoint(
            endpoint=wire.Endpoint(address=_address(endpoint)),
            load_balancing_weight=None if service.external_name else messages.uint32(endpoint.weight),
        )
        for endpoint in endpoints
    ]
    cluster.load_assignment.CopyFrom(wire.ClusterLoadAssignment(cluster_name=cluster.name))
    if members:
        cluster.load_assignment.endpoints.add(lb_endpoints=members)


def _address(endpoint: registry.Endpoint) -> core.Address:
    return core.Address(socket_address=core.SocketAddress(address=endpoint.ip, port_value=endpoint.port))
