"""Clusters: discovery, protocol and TLS of one service port."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.registry import services
from bookmesh.mesh.registry.protocols import Protocol
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import client_tls, clusters
from bookmesh.mesh.wire import cluster as wire

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def build(
    protocol: Protocol = Protocol.HTTP,
    *,
    policy: dict[str, Any] | None = None,
    peers: client_tls.Peers | None = None,
    is_router: bool = False,
    **service: Any,
) -> wire.Cluster:
    port = services.ServicePort("p", 80, protocol, 8080)
    fields = {"hostname": "web.shop.svc.cluster.local", "name": "web", "namespace": "shop", "ports": (port,)}
    host_policy = policies.NO_POLICY
    if policy is not None:
        traffic = msgspec.convert(policy, destination_rules.TrafficPolicy)
        host_policy = policies.HostPolicy(traffic_policy=traffic)
    return clusters.build_outbound(
        services.Service(**{**fields, **service}),
        port,
        subset="",
        policy=host_policy,
        peers=peers or client_tls.Peers(),
        is_router=is_router,
        settings=MeshSettings(),
    )


def http_version(cluster: wire.Cluster) -> str:
    if OPTIONS not in cluster.typed_extension_protocol_options:
        return "default"
    options = wire.HttpProtocolOptions.FromString(cluster.typed_extension_protocol_options[OPTIONS].value)
    kind = options.WhichOneof("upstream_protocol_options")
    return (
        options.explicit_http_config.WhichOneof("protocol_config") if kind == "explicit_http_config" else kind
    )


@pytest.mark.parametrize(
    ("protocol", "is_router", "expected"),
    [
        (Protocol.HTTP, False, "default"),
        (Protocol.TCP, False, "default"),
        (Protocol.GRPC, False, "http2_protocol_options"),
        (Protocol.HTTP2, True, "http2_protocol_options"),
        (Protocol.AUTO, False, "use_downstream_protocol_config"),
        (Protocol.AUTO, True, "default"),
    ],
)
def test_http_version_follows_the_declared_protocol(
    protocol: Protocol, is_router: bool, expected: str
) -> None:
    assert http_version(build(protocol, is_router=is_router)) == expected


def test_rule_can_upgrade_or_keep_the_http_version() -> None:
    upgrade = {"connectionPool": {"http": {"h2UpgradePolicy": "UPGRADE"}}}
    assert http_version(build(policy=upgrade)) == "http2_protocol_options"
    refuse = {"connectionPool": {"http": {"h2UpgradePolicy": "DO_NOT_UPGRADE"}}}
    assert http_version(build(policy=refuse)) == "default"
    assert http_version(build(Protocol.GRPC, policy=refuse)) == "http2_protocol_options"
    keep = {"connectionPool": {"http": {"useClientProtocol": True}}}
    assert http_version(build(Protocol.GRPC, policy=keep)) == "use_downstream_protocol_config"


def test_headless_service_passes_through_a_sidecar_but_not_a_gateway() -> None:
    assert build(is_headless=True).type == wire.Cluster.ORIGINAL_DST
    assert build(is_headless=True, is_router=True).type == wire.Cluster.EDS


def test_external_name_is_resolved_by_dns() -> None:
    found = build(external_name="api.example.com")
    assert found.type == wire.Cluster.STRICT_DNS
    (group,) = found.load_assignment.endpoints
    assert group.lb_endpoints[0].endpoint.address.socket_address.address == "api.example.com"


def test_mtls_is_chosen_endpoint_by_endpoint() -> None:
    assert [match.name for match in build().transport_socket_matches] == ["tlsMode-istio", "tlsMode-disabled"]


def test_headless_service_gets_mtls_only_when_every_pod_speaks_it() -> None:
    assert not build(is_headless=True).HasField("transport_socket")
    assert build(is_headless=True, peers=client_tls.Peers(all_speak_mtls=True)).HasField("transport_socket")


@pytest.mark.parametrize(
    ("mode", "has_socket"), [("DISABLE", False), ("ISTIO_MUTUAL", True), ("SIMPLE", True)]
)
def test_word_of_a_rule_replaces_the_choice(mode: str, has_socket: bool) -> None:
    found = build(policy={"tls": {"mode": mode}})
    assert not found.transport_socket_matches
    assert found.HasField("transport_socket") is has_socket


def test_local_clusters_come_from_their_own_address_with_the_mark() -> None:
    service = services.Service(hostname="h", name="web", namespace="shop")
    found = clusters.build_inbound(8080, service, Protocol.HTTP, MeshSettings())
    assert found.upstream_bind_config.source_address.address == "127.0.0.6"
    assert [o.int_value for o in found.upstream_bind_config.socket_options] == [1337]
    assert (
        clusters.build_inbound_passthrough(MeshSettings()).upstream_bind_config == found.upstream_bind_config
    )


def test_blackhole_has_no_endpoints() -> None:
    found = clusters.build_blackhole(MeshSettings())
    assert (found.type, found.HasField("load_assignment")) == (wire.Cluster.STATIC, False)
