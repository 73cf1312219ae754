"""Services and endpoint slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Causes = Callable[..., list[tuple[str, str]]]
Obj = dict[str, Any]


def service(**spec: Any) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}], **spec},
    }


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"clusterIP": "10.96.0.1"},
        {"clusterIP": "None", "ports": []},
        {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
        {"type": "ExternalName", "externalName": "a.example.com.", "ports": []},
        {"ports": [{"name": "tcp", "port": 53}, {"name": "udp", "port": 53, "protocol": "UDP"}]},
    ],
)
def test_a_good_service_is_fine(causes_of: Causes, spec: Obj) -> None:
    assert causes_of(service(**spec)) == []


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"ports": []}, "spec.ports", "Required value"),
        (
            {"ports": [{"port": 0, "targetPort": 1}]},
            "spec.ports[0].port",
            "Invalid value: 0: must be between 1 and 65535",
        ),
        ({"ports": [{"port": 1, "targetPort": "UP"}]}, "spec.ports[0].targetPort", 'Invalid value: "UP"'),
        ({"ports": [{"port": 1, "name": "a"}, {"port": 2}]}, "spec.ports[1].name", "Required value"),
        (
            {"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]},
            "spec.ports[1].name",
            'Duplicate value: "a"',
        ),
        (
            {"ports": [{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]},
            "spec.ports[1]",
            'Duplicate value: {"port":1,"protocol":"TCP"}',
        ),
        (
            {"ports": [{"port": 1, "nodePort": 30000}]},
            "spec.ports[0].nodePort",
            "Forbidden: may not be used when `type` is 'ClusterIP'",
        ),
        (
            {
                "type": "NodePort",
                "ports": [
                    {"port": 1, "name": "a", "nodePort": 30000},
                    {"port": 2, "name": "b", "nodePort": 30000},
                ],
            },
            "spec.ports[1].nodePort",
            "Duplicate value: 30000",
        ),
        (
            {"clusterIP": "10.96.0"},
            "spec.clusterIPs[0]",
            'Invalid value: "10.96.0": must be a valid IP address',
        ),
        (
            {"type": "NodePort", "clusterIP": "None"},
            "spec.clusterIPs[0]",
            'Invalid value: "None": may not be set to',
        ),
        ({"type": "ExternalName"}, "spec.externalName", "Required value"),
        (
            {"type": "ExternalName", "externalName": "a", "clusterIP": "10.96.0.1"},
            "spec.clusterIPs",
            'Invalid value: ["10.96.0.1"]: may not be set for ExternalName services',
        ),
        ({"selector": {"a": "b c"}}, "spec.selector", 'Invalid value: "b c"'),
        ({"externalIPs": ["x"]}, "spec.externalIPs[0]", 'Invalid value: "x"'),
    ],
)
def test_a_bad_service_is_refused(causes_of: Causes, spec: Obj, field: str, message: str) -> None:
    found = causes_of(service(**spec))
    assert [each for each, _ in found] == [field]
    assert found[0][1].startswith(message)


def test_an_address_stays_unless_the_service_becomes_a_name(causes_of: Causes) -> None:
    old = service(clusterIP="10.96.0.9")
    assert causes_of(service(clusterIP="10.96.0.9"), old) == []
    assert causes_of(service(clusterIP="10.96.0.8"), old) == [
        ("spec.clusterIPs[0]", 'Invalid value: ["10.96.0.8"]: may not change once set')
    ]
    assert causes_of(service(type="ExternalName", externalName="a.b"), old) == []


def endpoint_slice(**fields: Any) -> Obj:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "e"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.244.0.2"]}],
        "ports": [{"port": 80}],
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"endpoints": [{"addresses": []}]}, "endpoints[0].addresses"),
        ({"endpoints": [{"addresses": ["x"]}]}, "endpoints[0].addresses[0]"),
        ({"ports": [{"port": 0}]}, "ports[0].port"),
    ],
)
def test_a_bad_endpoint_slice_is_refused(causes_of: Causes, fields: Obj, field: str) -> None:
    assert causes_of(endpoint_slice()) == []
    assert [each for each, _ in causes_of(endpoint_slice(**fields))] == [field]


def test_the_address_type_stays(causes_of: Causes) -> None:
    found = causes_of(endpoint_slice(addressType="FQDN", endpoints=[]), endpoint_slice())
    assert found == [("addressType", 'Invalid value: "FQDN": field is immutable')]
