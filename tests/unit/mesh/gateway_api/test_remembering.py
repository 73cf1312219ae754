from __future__ import annotations

from typing import Any

from bookmesh.mesh.gateway_api import remembering
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry
from bookmesh.mesh.snapshot import credentials

GATEWAY = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "edge", "namespace": "default"},
    "spec": {
        "gatewayClassName": "istio",
        "listeners": [
            {"name": "http", "port": 80, "protocol": "HTTP"},
            {"name": "other", "port": 8080, "protocol": "HTTP"},
        ],
    },
}
SIDECAR = {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": {"name": "own"}, "spec": {}}
KEY = ("default", "edge-istio")


def service(*addresses: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80}, {"name": "other", "port": 8080}]
    return {
        "metadata": {"name": KEY[1], "namespace": KEY[0]},
        "spec": {"type": "LoadBalancer", "ports": ports},
        "status": {"loadBalancer": {"ingress": [{"ip": address} for address in addresses]}},
    }


def convert(
    converter: remembering.Converter, *objects: dict[str, Any]
) -> tuple[tuple[parsing.Parsed, ...], dict[str, Any]]:
    configs, conversion = converter.convert(
        [parsing.parse(each) for each in objects],
        registry.build([service()], [], [], []),
        credentials.Credentials(),
    )
    return configs, next(iter(conversion.statuses.values()), {})


def test_what_stayed_the_same_is_the_very_same_object() -> None:
    converter = remembering.Converter(domain="cluster.local")
    before, _ = convert(converter, GATEWAY)
    spec = {**GATEWAY["spec"], "listeners": [GATEWAY["spec"]["listeners"][0]]}
    same, _ = convert(converter, GATEWAY)
    assert all(one is other for one, other in zip(before, same, strict=True))
    after, _ = convert(converter, {**GATEWAY, "spec": spec})
    assert len(after) == 1
    assert after[0] not in before


def test_objects_of_istio_come_along_untouched() -> None:
    configs, _ = convert(remembering.Converter(domain="cluster.local"), SIDECAR, GATEWAY)
    assert [config.ref.kind for config in configs] == [
        "Sidecar",
        *["Gateway.gateway.networking.k8s.io"] * 2,
    ]


def test_addresses_follow_the_services() -> None:
    converter = remembering.Converter(domain="cluster.local")
    converter.note(services={KEY: service()}, config_maps={})
    assert "addresses" not in convert(converter, GATEWAY)[1]
    converter.note(services={KEY: service("127.0.0.9")}, config_maps={})
    assert convert(converter, GATEWAY)[1]["addresses"] == [{"type": "IPAddress", "value": "127.0.0.9"}]
    converter.note(services={KEY: None}, config_maps={})
    assert convert(converter, GATEWAY)[1]["addresses"][0]["type"] == "Hostname"
