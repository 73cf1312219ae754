"""Filter chains for what others call."""

from __future__ import annotations

from typing import Any

import pytest
from tests.golden.translate import worlds

from bookmesh.mesh.registry import services
from bookmesh.mesh.registry.protocols import Protocol
from bookmesh.mesh.snapshot.peer_authentications import PeerModes
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import inbound_listener


def chains(protocol: Protocol, mode: str) -> list[tuple[str, str, str]]:
    """(transport, first ALPN name, kind of filter) of the chains of port 80."""
    service = services.Service(hostname="web.shop.svc.cluster.local", name="web", namespace="shop")
    port = inbound_listener.InboundPort(80, service, services.ServicePort("p", 80, protocol, 80))
    modes = PeerModes(mode)  # type: ignore[arg-type]
    built = inbound_listener.build([port], modes, MeshSettings())
    return [
        (
            chain.filter_chain_match.transport_protocol,
            next(iter(chain.filter_chain_match.application_protocols), ""),
            chain.filters[0].name.rpartition(".")[2],
        )
        for chain in built.filter_chains
        if chain.filter_chain_match.destination_port.value == 80
    ]


HTTP, TCP = "http_connection_manager", "tcp_proxy"


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        (Protocol.HTTP, [("tls", "istio-http/1.0", HTTP), ("raw_buffer", "", HTTP), ("tls", "", TCP)]),
        (Protocol.TCP, [("tls", "istio-http/1.0", TCP), ("raw_buffer", "", TCP), ("tls", "", TCP)]),
        (
            Protocol.AUTO,
            [
                ("tls", "istio-http/1.0", HTTP),
                ("tls", "istio-peer-exchange", TCP),
                ("raw_buffer", "http/1.1", HTTP),
                ("raw_buffer", "", TCP),
                ("tls", "", TCP),
            ],
        ),
    ],
)
def test_permissive_tells_mtls_plain_text_and_own_tls_apart(
    protocol: Protocol, expected: list[tuple[str, str, str]]
) -> None:
    assert chains(protocol, "PERMISSIVE") == expected


def test_strict_takes_mtls_only_and_disable_none() -> None:
    assert chains(Protocol.HTTP, "STRICT") == [("tls", "istio-http/1.0", HTTP)]
    assert chains(Protocol.HTTP, "DISABLE") == [("raw_buffer", "", HTTP), ("tls", "", TCP)]


def ports(*service_ports: dict[str, Any], name: str = "web") -> dict[str, Any]:
    spec = {"selector": {"app": "web"}, "ports": list(service_ports)}
    return {"kind": "Service", "metadata": {"name": name}, "spec": spec}


def test_ports_are_those_of_the_pod_each_once() -> None:
    pod = {
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8000}]}]},
        "status": {"podIP": "10.0.0.1"},
    }
    first = ports(
        {"name": "http", "port": 80, "targetPort": "http"}, {"name": "x", "port": 1, "targetPort": "y"}
    )
    second = ports(
        {"name": "tcp", "port": 81, "targetPort": 8000}, {"name": "tcp-2", "port": 82}, name="zweb"
    )
    other = {
        **ports({"name": "http", "port": 90}, name="other"),
        "metadata": {"name": "o", "namespace": "other"},
    }
    world = worlds.build([pod, first, second, other], {"proxy": "default/web"})
    assert world.proxy is not None
    found = inbound_listener.ports_of(world.proxy, world.snapshot)
    assert [(port.number, port.service.name) for port in found] == [(82, "zweb"), (8000, "web")]
