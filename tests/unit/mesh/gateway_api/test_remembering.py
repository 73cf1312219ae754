from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bookmesh.mesh.gateway_api import converting, remembering
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import assembling, registry
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


def endpoint_slice(name: str, *more: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": "http", "port": 80}],
        "endpoints": [{"addresses": [ip]} for ip in ("10.0.0.1", *more)],
    }


def convert(
    converter: remembering.Converter, *objects: dict[str, Any]
) -> tuple[Sequence[parsing.Parsed], dict[str, Any]]:
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
    assert sorted(config.ref.kind for config in configs) == [
        *["Gateway.gateway.networking.k8s.io"] * 2,
        "Sidecar",
    ]


def test_nothing_is_converted_again_while_nothing_differs_that_counts() -> None:
    converter = remembering.Converter(domain="cluster.local")
    world = assembling.Assembly(domain="cluster.local")
    parsed, secrets = [parsing.parse(GATEWAY)], credentials.Credentials()

    def conversion(**changed: Any) -> converting.Conversion:
        return converter.convert(parsed, world.apply(assembling.Changes(**changed), ()), secrets)[1]

    other = {**service(), "metadata": {"name": "other", "namespace": "default"}}
    first = conversion(services={KEY: service(), ("default", "other"): other})
    assert conversion(endpoint_slices={("default", "other"): endpoint_slice("other")}) is first
    reached = conversion(endpoint_slices={KEY: endpoint_slice(KEY[1])})
    assert reached is not first
    assert "edge-istio.default.svc.cluster.local:80" in str(reached.statuses)
    assert conversion(endpoint_slices={KEY: endpoint_slice(KEY[1], "10.0.0.2")}) is reached
    parsed = [parsing.parse({**GATEWAY, "spec": {**GATEWAY["spec"], "listeners": []}})]
    assert conversion() is not reached


def test_addresses_follow_the_services() -> None:
    converter = remembering.Converter(domain="cluster.local")
    converter.note(services={KEY: service()}, config_maps={})
    assert "addresses" not in convert(converter, GATEWAY)[1]
    converter.note(services={KEY: service("127.0.0.9")}, config_maps={})
    assert convert(converter, GATEWAY)[1]["addresses"] == [{"type": "IPAddress", "value": "127.0.0.9"}]
    converter.note(services={KEY: None}, config_maps={})
    assert convert(converter, GATEWAY)[1]["addresses"][0]["type"] == "Hostname"


def test_of_several_defaults_for_a_class_the_oldest_of_the_root_namespace_counts() -> None:
    def defaults(name: str, namespace: str, year: int, replicas: int) -> dict[str, Any]:
        return {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "creationTimestamp": f"{year}-01-01T00:00:00Z",
                "labels": {"gateway.istio.io/defaults-for-class": "istio"},
            },
            "data": {"deployment": f"spec: {{replicas: {replicas}}}"},
        }

    converter = remembering.Converter(domain="cluster.local", root_namespace="root")

    def replicas(*changed: dict[str, Any], gone: Sequence[tuple[str, str]] = ()) -> int | None:
        keyed = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in changed}
        converter.note(services={}, config_maps={**keyed, **dict.fromkeys(gone)})
        _, conversion = converter.convert(
            [parsing.parse(GATEWAY)], registry.build([], [], [], []), credentials.Credentials()
        )
        (deployment,) = [obj for _, obj in conversion.deployed if obj["kind"] == "Deployment"]
        found: int | None = deployment["spec"].get("replicas")
        return found

    assert replicas(defaults("a", "elsewhere", 2020, 1)) is None
    assert replicas(defaults("b", "root", 2022, 2), defaults("c", "root", 2021, 3)) == 3
    assert replicas(gone=[("root", "c")]) == 2
