"""Clusters."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.mesh.translate.patching.changes import change, place

from bookmesh.mesh.translate import transport_sockets
from bookmesh.mesh.translate.patching import clusters
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import messages, tls

HOST = "web.shop.svc.cluster.local"
NAME = f"outbound|80|v1|{HOST}"
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


def removes(cluster_name: str, **match: Any) -> bool:
    cluster = wire.Cluster(name=cluster_name)
    cluster.metadata.filter_metadata["istio"].CopyFrom(messages.struct({"destination_service": HOST}))
    return not clusters.patch(cluster, place(change("CLUSTER", "REMOVE", cluster=match)))


@pytest.mark.parametrize(
    ("match", "is_meant"),
    [
        ({}, True),
        ({"name": NAME}, True),
        ({"name": "other", "service": HOST}, False),
        ({"service": HOST, "portNumber": 80, "subset": "v1"}, True),
        ({"service": "other"}, False),
        ({"portNumber": 81}, False),
        ({"subset": "v2"}, False),
    ],
)
def test_clusters_are_found_by_the_parts_of_their_names(match: dict[str, Any], is_meant: bool) -> None:
    assert removes(NAME, **match) is is_meant


def test_clusters_of_the_application_are_found_by_their_service() -> None:
    assert removes("inbound|8080||", service=HOST, portNumber=8080)
    assert not removes("inbound|8080||", service="other")
    assert not removes("BlackHoleCluster", service=HOST)


def merged(cluster: wire.Cluster, value: dict[str, Any]) -> wire.Cluster:
    assert clusters.patch(cluster, place(change("CLUSTER", "MERGE", value)))
    return cluster


def test_fields_are_merged() -> None:
    found = merged(wire.Cluster(name=NAME, alt_stat_name="stays"), {"connect_timeout": "3s"})
    assert (found.alt_stat_name, found.connect_timeout.seconds) == ("stays", 3)


def test_a_socket_is_merged_into_the_one_of_the_same_name() -> None:
    mesh = transport_sockets.mesh_upstream(sni="stays", accepted_ids=())
    match = wire.Cluster.TransportSocketMatch(name="x", transport_socket=mesh)
    value = {"transport_socket": {"name": mesh.name, "typed_config": {"@type": TLS, "max_session_keys": 5}}}
    for cluster in (
        wire.Cluster(name=NAME, transport_socket=mesh),
        wire.Cluster(name=NAME, transport_socket_matches=[match]),
    ):
        found = merged(cluster, value)
        socket = (
            found.transport_socket_matches[0].transport_socket
            if found.transport_socket_matches
            else found.transport_socket
        )
        context = tls.UpstreamTlsContext.FromString(socket.typed_config.value)
        assert (context.sni, context.max_session_keys.value) == ("stays", 5)


def test_a_socket_of_another_name_replaces() -> None:
    plain = transport_sockets.raw_buffer()
    value = {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": TLS}}}
    assert merged(wire.Cluster(name=NAME, transport_socket=plain), value).transport_socket.name != plain.name
