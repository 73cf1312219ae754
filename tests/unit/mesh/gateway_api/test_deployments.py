from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.base import kubernetes
from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.gateway_api import deployments
from bookmesh.mesh.model import base, parsing
from bookmesh.mesh.model.gateway_api import gateways

NAME = "gateway.networking.k8s.io/gateway-name"


def made(metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, dict[str, Any]]:
    """What is made for a Gateway `edge`, by kind."""
    full = {"name": "edge", "namespace": "front", "uid": "u1", **(metadata or {})}
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP"}]
    gateway = msgspec.convert({"gatewayClassName": "istio", "listeners": listeners, **spec}, gateways.Gateway)
    parsed = parsing.Parsed(
        ref=ObjectRef("Gateway", "edge", "front"),
        digest="",
        metadata=msgspec.convert(full, base.Metadata),
        spec=gateway,
    )
    return {obj["kind"]: obj for _, obj in deployments.build(parsed, gateway)}


def ports(found: dict[str, dict[str, Any]]) -> list[tuple[str, int]]:
    return [(port["name"], port["port"]) for port in found["Service"]["spec"]["ports"]]


def test_all_is_named_after_gateway_and_class_and_owned_by_the_gateway() -> None:
    found = made()
    assert list(found) == [
        "ServiceAccount",
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
    ]
    for obj in found.values():
        metadata = obj["metadata"]
        assert (metadata["name"], metadata["namespace"]) == ("edge-istio", "front")
        assert [(each["kind"], each["uid"]) for each in metadata["ownerReferences"]] == [("Gateway", "u1")]
    pods = found["Deployment"]["spec"]["template"]
    assert found["Service"]["spec"]["selector"] == {NAME: "edge"}
    assert (
        found["Deployment"]["spec"]["selector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
    )
    assert pods["metadata"]["annotations"]["inject.istio.io/templates"] == "gateway"
    assert pods["spec"]["serviceAccountName"] == "edge-istio"


def test_every_port_of_the_listeners_is_there_once_under_a_name_of_its_own() -> None:
    listeners = [
        {"name": "status-port", "port": 80, "protocol": "HTTP"},
        {"name": "again", "port": 80, "protocol": "HTTP", "hostname": "a.example.com"},
        {"name": "A.Very_Long-Name-Indeed", "port": 443, "protocol": "TLS"},
    ]
    found = made(listeners=listeners)
    assert ports(found) == [("status-port", 15021), ("status-po-80", 80), ("a-very-long-nam", 443)]
    assert len({name for name, _ in ports(found)}) == 3


def test_the_service_type_can_be_chosen() -> None:
    assert made()["Service"]["spec"]["type"] == "LoadBalancer"
    chosen = made({"annotations": {"networking.istio.io/service-type": "ClusterIP"}})
    assert chosen["Service"]["spec"]["type"] == "ClusterIP"


def test_an_address_is_asked_for() -> None:
    found = made(addresses=[{"value": "127.0.0.9"}])
    assert found["Service"]["spec"]["loadBalancerIP"] == "127.0.0.9"


def test_names_and_service_accounts_can_be_chosen() -> None:
    annotations = {"gateway.istio.io/name-override": "front-door", "gateway.istio.io/service-account": "mine"}
    found = made({"annotations": annotations})
    assert "ServiceAccount" not in found
    assert found["Deployment"]["metadata"]["name"] == "front-door"
    assert found["Deployment"]["spec"]["template"]["spec"]["serviceAccountName"] == "mine"
    assert found["Service"]["metadata"]["annotations"] == {}


@pytest.mark.feature("GatewayInfrastructurePropagation")
@pytest.mark.parametrize("infrastructure", [None, {"labels": {"b": "2"}, "annotations": {"n": "2"}}])
def test_labels_come_from_the_infrastructure_else_from_the_gateway(
    infrastructure: dict[str, Any] | None,
) -> None:
    own = {"labels": {"a": "1"}, "annotations": {"m": "1"}}
    found = made(own, infrastructure=infrastructure)
    labels, annotations = ({"a": "1"}, {"m": "1"}) if infrastructure is None else ({"b": "2"}, {"n": "2"})
    for obj in found.values():
        given = {key: text for key, text in obj["metadata"]["labels"].items() if "/" not in key}
        assert (given, obj["metadata"]["annotations"]) == (labels, annotations)


def test_nothing_is_made_for_a_gateway_that_names_a_service() -> None:
    assert made(addresses=[{"type": "Hostname", "value": "ingress"}]) == {}


def test_changes_leave_alone_what_others_added() -> None:
    deployment = made()["Deployment"]
    seen = kubernetes.copy_json(deployment)
    seen["spec"]["replicas"] = 3
    seen["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    seen["metadata"]["labels"]["theirs"] = "yes"
    assert deployments.changes(deployment, seen) == {}


def test_changes_are_a_merge_patch_of_what_differs() -> None:
    before, after = (
        made()["Service"],
        made(listeners=[{"name": "x", "port": 81, "protocol": "HTTP"}])["Service"],
    )
    assert deployments.changes(after, before) == {"spec": {"ports": after["spec"]["ports"]}}
    without = kubernetes.copy_json(before)
    del without["spec"]["selector"]
    assert deployments.changes(before, without) == {"spec": {"selector": {NAME: "edge"}}}
