from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.gateway_api import converting
from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry

GROUP = "gateway.networking.k8s.io"


def obj(kind: str, name: str, spec: dict[str, Any], version: str = "v1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": f"{GROUP}/{version}", "kind": kind, "metadata": metadata, "spec": spec}


def gateway(*listeners: dict[str, Any], name: str = "edge", class_name: str = "istio") -> dict[str, Any]:
    return obj("Gateway", name, {"gatewayClassName": class_name, "listeners": list(listeners)})


HTTP = {"name": "http", "port": 80, "protocol": "HTTP"}
UDP = {"name": "udp", "port": 53, "protocol": "UDP"}
SERVICE = {"metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 80}]}}


def convert(*objects: dict[str, Any]) -> converting.Conversion:
    found = tuple(sorted((parsing.parse(each) for each in objects), key=inputs_.age))
    return converting.convert(inputs_.Inputs(objects=found, registry=registry.build([SERVICE], [], [], [])))


def route(**spec: Any) -> dict[str, Any]:
    backends = [{"name": "web", "port": 80}]
    return obj(
        "HTTPRoute", "web", {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": backends}], **spec}
    )


@pytest.mark.parametrize(
    ("objects", "codes"),
    [
        ([gateway(HTTP), route()], set()),
        ([gateway(HTTP, UDP)], {"BM0230"}),
        ([gateway({**HTTP, "hostname": "a.example.com"}), route(hostnames=["b.example.com"])], {"BM0231"}),
        ([gateway(HTTP), route(parentRefs=[{"name": "egde"}])], {"BM0231"}),
        ([gateway(HTTP), route(rules=[{"backendRefs": [{"name": "gone", "port": 80}]}])], {"BM0232"}),
        (
            [
                obj(
                    "BackendTLSPolicy",
                    "tls",
                    {
                        "targetRefs": [{"group": "", "kind": "Service", "name": "gone"}],
                        "validation": {"hostname": "a.example.com", "wellKnownCACertificates": "System"},
                    },
                    "v1alpha3",
                )
            ],
            {"BM0233"},
        ),
    ],
)
def test_what_is_wrong_is_a_finding_with_the_object(objects: list[dict[str, Any]], codes: set[str]) -> None:
    findings = convert(*objects).findings
    assert {finding.code for finding in findings} == codes
    assert all(finding.subject is not None and finding.where.startswith("spec") for finding in findings)


def test_a_gateway_that_waits_for_its_address_is_not_wrong() -> None:
    conversion = convert(gateway(HTTP))
    (status,) = conversion.statuses.values()
    programmed = next(each for each in status["conditions"] if each["type"] == "Programmed")
    assert (programmed["status"], programmed["reason"]) == ("False", "AddressNotAssigned")
    assert conversion.findings == ()


def test_gateways_of_another_class_are_left_to_others() -> None:
    theirs = obj("GatewayClass", "theirs", {"controllerName": "example.com/controller"})
    conversion = convert(theirs, gateway(HTTP, class_name="theirs"), route())
    assert (conversion.configs, conversion.deployed, dict(conversion.statuses)) == ((), (), {})


def test_a_class_of_another_name_can_be_ours() -> None:
    ours = obj("GatewayClass", "edge-class", {"controllerName": "istio.io/gateway-controller"})
    conversion = convert(ours, gateway(HTTP, class_name="edge-class"))
    assert {str(ref) for ref in conversion.statuses} == {
        "GatewayClass edge-class",
        "Gateway.gateway.networking.k8s.io default/edge",
    }
    assert [each["metadata"]["name"] for _, each in conversion.deployed] == ["edge-edge-class"] * 3


def test_the_order_of_objects_does_not_matter() -> None:
    objects = [gateway(HTTP), route(), gateway(HTTP, name="second")]
    one, other = convert(*objects), convert(*reversed(objects))
    assert [config.digest for config in one.configs] == [config.digest for config in other.configs]
    assert one.statuses == other.statuses


def test_the_digest_tells_what_a_reference_leads_to() -> None:
    """A Service that comes later changes what a route does, though the route is the same."""
    missing = convert(gateway(HTTP), route(rules=[{"backendRefs": [{"name": "gone", "port": 80}]}]))
    found = convert(gateway(HTTP), route())
    assert missing.configs[-1].digest != found.configs[-1].digest
