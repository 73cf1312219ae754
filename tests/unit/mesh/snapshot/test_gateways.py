"""Servers of Gateways and the hosts they share with VirtualServices."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import gateways as models
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry
from bookmesh.mesh.snapshot import gateways
from bookmesh.mesh.snapshot import proxy as proxies

POD = {
    "metadata": {"name": "gw", "namespace": "edge", "labels": {"istio": "ingressgateway"}},
    "spec": {"containers": [{"name": "istio-proxy", "args": ["proxy", "router"]}]},
}
SERVICE = {
    "metadata": {"name": "gw", "namespace": "edge"},
    "spec": {
        "selector": {"istio": "ingressgateway"},
        "ports": [{"name": "http2", "port": 80, "targetPort": 8080}],
    },
}


def gateway(*servers: dict[str, Any], **selector: str) -> parsing.Parsed:
    return parsing.parse(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "main", "namespace": "apps"},
            "spec": {"selector": selector, "servers": list(servers)},
        }
    )


def server(port: int, *hosts: str, protocol: str = "HTTP") -> dict[str, Any]:
    return {"port": {"number": port, "name": f"p{port}", "protocol": protocol}, "hosts": list(hosts) or ["*"]}


def ports(*configs: parsing.Parsed) -> list[tuple[int, int, int]]:
    proxy = proxies.build_proxy(POD, ip="10.0.0.1")
    found = gateways.ports_for(proxy, configs, registry.build([SERVICE], [], [], []))
    return [(port.target, port.number, len(port.servers)) for port in found]


def test_port_of_the_service_leads_to_the_port_of_the_pod() -> None:
    assert ports(gateway(server(80), istio="ingressgateway")) == [(8080, 80, 1)]


def test_port_no_service_has_is_taken_as_it_is_and_joins_the_same_port() -> None:
    assert ports(gateway(server(80), server(8080), server(9999), istio="ingressgateway")) == [
        (8080, 80, 2),
        (9999, 9999, 1),
    ]


def test_selector_must_match_and_an_empty_one_always_does() -> None:
    assert ports(gateway(server(80), istio="egressgateway")) == []
    assert ports(gateway(server(80))) == [(8080, 80, 1)]


def test_what_is_not_served_is_left_out() -> None:
    odd = server(443, protocol="SCTP")
    assert ports(gateway(odd, server(80, protocol="http2"), server(9000, protocol="TCP"))) == [
        (8080, 80, 1),
        (9000, 9000, 1),
    ]


@pytest.mark.parametrize(
    ("protocol", "tls", "expected"),
    [
        ("HTTPS", {"mode": "SIMPLE", "credentialName": "c"}, "is_https is_terminated"),
        ("TLS", {"mode": "ISTIO_MUTUAL"}, "is_terminated"),
        ("TLS", {}, "is_passthrough"),
        ("HTTPS", {"mode": "PASSTHROUGH"}, "is_passthrough"),
        ("HTTP", {"httpsRedirect": True}, "is_http"),
        ("MONGO", None, "is_plain_tcp"),
        ("TLS", {"mode": "AUTO_PASSTHROUGH"}, "is_auto_passthrough"),
    ],
)
def test_protocol_and_mode_say_what_a_server_does(
    protocol: str, tls: dict[str, Any] | None, expected: str
) -> None:
    parsed = gateway(
        server(443, "A.example.com", "x/b", protocol=protocol) | ({"tls": tls} if tls is not None else {})
    )
    assert isinstance(parsed.spec, models.Gateway)
    found = gateways.GatewayServer("apps/main", parsed.ref, parsed.digest, 0, parsed.spec.servers[0])
    kinds = ("is_http", "is_https", "is_terminated", "is_passthrough", "is_auto_passthrough", "is_plain_tcp")
    assert " ".join(kind for kind in kinds if getattr(found, kind)) == expected
    assert found.patterns == ("a.example.com", "b")


@pytest.mark.parametrize(
    ("served", "wanted", "namespace", "expected"),
    [
        (["*"], ["a.example.com"], "apps", ("a.example.com",)),
        (["a.example.com", "b.example.com"], ["*"], "x", ("a.example.com", "b.example.com")),
        (["*.example.com"], ["A.example.com", "a.example.org"], "x", ("a.example.com",)),
        (["shop/*"], ["a.example.com"], "x", ()),
        (["shop/*"], ["a.example.com"], "shop", ("a.example.com",)),
        (["./*"], ["a.example.com"], "apps", ("a.example.com",)),
        (["./*"], ["a.example.com"], "shop", ()),
        (["*/*"], ["a.example.com"], "shop", ("a.example.com",)),
    ],
)
def test_common_hosts_respect_namespaces_and_wildcards(
    served: list[str], wanted: list[str], namespace: str, expected: tuple[str, ...]
) -> None:
    parsed = gateway(server(80, *served))
    assert isinstance(parsed.spec, models.Gateway)
    candidate = gateways.GatewayServer("apps/main", parsed.ref, parsed.digest, 0, parsed.spec.servers[0])
    assert candidate.common_hosts(wanted, namespace) == expected
