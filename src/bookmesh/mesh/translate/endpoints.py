"""Endpoints: the addresses of a cluster, with what load balancing, mTLS and telemetry need to know about each."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Final

from bookmesh.mesh.registry import registry, services, workloads
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import localities, traffic_policies
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages

_UNIX = "unix://"
_HEALTH: Final = {
    "ready": core.HealthStatus.UNKNOWN,
    "unready": core.HealthStatus.UNHEALTHY,
    "draining": core.HealthStatus.DRAINING,
}


def in_subset(
    endpoints: Sequence[registry.Endpoint], labels: Mapping[str, str]
) -> tuple[registry.Endpoint, ...]:
    """Keep the endpoints that carry all of these labels; without labels all."""
    return tuple(endpoint for endpoint in endpoints if labels.items() <= endpoint.labels.items())


def counted(
    endpoints: Sequence[registry.Endpoint],
    policy: traffic_policies.EffectivePolicy,
    *,
    prefers: services.Preference = "any",
) -> tuple[registry.Endpoint, ...]:
    """
    The endpoints that a proxy hears of. It sends nothing to those that are not ready, but they count for how much of a
    locality is there; unless a rule lets traffic go to ill ones where few are well, and callers prefer none nearby.

    Source: DestinationRule `trafficPolicy.outlierDetection.minHealthPercent`.
    """
    outlier = policy.outlier_detection
    if outlier is None or outlier.min_health_percent <= 0 or prefers != "any":
        return tuple(endpoints)
    return tuple(endpoint for endpoint in endpoints if endpoint.health != "unready")


def build(
    name: str,
    groups: Sequence[localities.Group],
    settings: settings_.MeshSettings,
    *,
    plain: Container[registry.Endpoint] = (),
) -> wire.ClusterLoadAssignment:
    """
    Build the assignment of one cluster from endpoints that were spread over localities; `plain` are those that speak
    the mesh's mTLS and do not want it.
    """
    return wire.ClusterLoadAssignment(
        cluster_name=name,
        endpoints=[
            wire.LocalityLbEndpoints(
                locality=core.Locality(
                    region=group.locality.region, zone=group.locality.zone, sub_zone=group.locality.subzone
                ),
                lb_endpoints=[_endpoint(e, settings, is_plain=e in plain) for e in group.members],
                load_balancing_weight=messages.uint32(group.weight),
                priority=group.priority,
            )
            for group in groups
        ],
    )


def _endpoint(
    endpoint: registry.Endpoint, settings: settings_.MeshSettings, *, is_plain: bool
) -> wire.LbEndpoint:
    metadata = core.Metadata()
    if endpoint.workload is not None:
        facts = _facts(endpoint.workload, settings.cluster_id)
        metadata.filter_metadata["istio"].CopyFrom(messages.struct(facts))
    if endpoint.speaks_mtls and not is_plain:
        match = messages.struct({"tlsMode": "istio"})
        metadata.filter_metadata["envoy.transport_socket_match"].CopyFrom(match)
    return wire.LbEndpoint(
        endpoint=wire.Endpoint(address=_address(endpoint)),
        load_balancing_weight=messages.uint32(endpoint.weight),
        metadata=metadata,
        health_status=_HEALTH[endpoint.health],
    )


def _address(endpoint: registry.Endpoint) -> core.Address:
    if endpoint.ip.startswith(_UNIX):
        return core.Address(pipe=core.Pipe(path=endpoint.ip.removeprefix(_UNIX)))
    return core.Address(socket_address=core.SocketAddress(address=endpoint.ip, port_value=endpoint.port))


def _facts(workload: workloads.Workload, cluster_id: str) -> dict[str, str]:
    """What telemetry says about the peer, key by key, since Envoy's formatters cannot split a text."""
    return {
        "workload": workload.name,
        "namespace": workload.namespace,
        "app": workload.labels.get("app", workload.canonical_name),
        "version": workload.labels.get("version", workload.canonical_revision),
        "canonical_name": workload.canonical_name,
        "canonical_revision": workload.canonical_revision,
        "cluster": cluster_id,
    }
