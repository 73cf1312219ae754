"""Endpoints: the addresses of a cluster, with what load balancing, mTLS and telemetry need to know about each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bookmesh.mesh.registry import registry, workloads
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages


def in_subset(
    endpoints: Sequence[registry.Endpoint], labels: Mapping[str, str]
) -> tuple[registry.Endpoint, ...]:
    """Keep the endpoints that carry all of these labels; without labels all."""
    return tuple(endpoint for endpoint in endpoints if labels.items() <= endpoint.labels.items())


def build(
    name: str, endpoints: Sequence[registry.Endpoint], settings: settings_.MeshSettings
) -> wire.ClusterLoadAssignment:
    """Build the assignment of one cluster; endpoints of one locality stay together, in their order."""
    by_locality: defaultdict[workloads.Locality, list[registry.Endpoint]] = defaultdict(list)
    for endpoint in endpoints:
        locality = endpoint.workload.locality if endpoint.workload is not None else workloads.Locality()
        by_locality[locality].append(endpoint)
    return wire.ClusterLoadAssignment(
        cluster_name=name,
        endpoints=[
            wire.LocalityLbEndpoints(
                locality=core.Locality(region=where.region, zone=where.zone, sub_zone=where.subzone),
                lb_endpoints=[_endpoint(endpoint, settings) for endpoint in found],
                load_balancing_weight=messages.uint32(len(found)),
            )
            for where, found in by_locality.items()
        ],
    )


def _endpoint(endpoint: registry.Endpoint, settings: settings_.MeshSettings) -> wire.LbEndpoint:
    address = core.SocketAddress(address=endpoint.ip, port_value=endpoint.port)
    metadata = core.Metadata()
    if endpoint.workload is not None:
        facts = _facts(endpoint.workload, settings.cluster_id)
        metadata.filter_metadata["istio"].CopyFrom(messages.struct(facts))
    if endpoint.speaks_mtls:
        match = messages.struct({"tlsMode": "istio"})
        metadata.filter_metadata["envoy.transport_socket_match"].CopyFrom(match)
    return wire.LbEndpoint(
        endpoint=wire.Endpoint(address=core.Address(socket_address=address)),
        load_balancing_weight=messages.uint32(1),
        metadata=metadata,
    )


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
