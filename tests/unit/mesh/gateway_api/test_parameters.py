"""What people ask for of what is deployed for a Gateway."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.gateway_api import inputs, parameters
from bookmesh.mesh.model import base, parsing
from bookmesh.mesh.model.gateway_api import gateways
from bookmesh.mesh.registry import registry

REF = {"group": "", "kind": "ConfigMap", "name": "mine"}


def deployed(
    own: dict[str, str] | None, defaults: dict[str, str] | None = None, ref: dict[str, str] = REF
) -> dict[str, dict[str, Any]]:
    """What is made for a Gateway `edge`, by kind, with its own ConfigMap and that of its class."""
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP"}]
    raw = {"gatewayClassName": "istio", "listeners": listeners}
    spec = msgspec.convert(
        raw | ({"infrastructure": {"parametersRef": ref}} if own is not None else {}), gateways.Gateway
    )
    metadata = base.Metadata(name="edge", namespace="front", uid="u1")
    parsed = parsing.Parsed(
        ref=ObjectRef("Gateway", "edge", "front"), digest="", metadata=metadata, spec=spec
    )
    found = inputs.Inputs(
        objects=(parsed,),
        registry=registry.build([], [], [], []),
        config_maps={("front", "mine"): own or {}},
        class_defaults={"istio": defaults} if defaults is not None else {},
    )
    return {obj["kind"]: obj for _, obj in parameters.deployed(parsed, spec, found)}


def test_without_parameters_there_is_what_every_gateway_needs() -> None:
    assert list(deployed(None)) == ["ServiceAccount", "Deployment", "Service"]


def test_fields_are_laid_over_and_named_things_by_name() -> None:
    overlay = """
      metadata: {labels: {mine: "yes"}}
      spec:
        replicas: 3
        template:
          spec:
            containers:
            - {name: istio-proxy, resources: {requests: {cpu: 10m}}}
            - {name: beside, image: curlimages/curl}
    """
    before, after = deployed(None)["Deployment"], deployed({"deployment": overlay})["Deployment"]
    assert after["spec"]["replicas"] == 3
    assert after["metadata"]["labels"] == {**before["metadata"]["labels"], "mine": "yes"}
    proxy, beside = after["spec"]["template"]["spec"]["containers"]
    assert proxy == {"name": "istio-proxy", "image": "auto", "resources": {"requests": {"cpu": "10m"}}}
    assert beside["name"] == "beside"
    assert after["spec"]["selector"] == before["spec"]["selector"]


def test_things_and_fields_can_be_taken_away_or_replaced() -> None:
    status = "{port: 15021, $patch: delete}"
    overlay = f"spec: {{type: null, ports: [{status}], selector: {{$patch: replace, a: b}}}}"
    spec = deployed({"service": overlay})["Service"]["spec"]
    assert "type" not in spec
    assert [port["port"] for port in spec["ports"]] == [80]
    assert spec["selector"] == {"a": "b"}


def test_a_scaler_and_a_budget_are_made_for_who_asks_for_them() -> None:
    found = deployed(
        {
            "horizontalPodAutoscaler": "spec: {minReplicas: 2, maxReplicas: 5}",
            "podDisruptionBudget": "spec: {minAvailable: 1}",
        }
    )
    scaler = found["HorizontalPodAutoscaler"]["spec"]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "edge-istio"}
    assert scaler == {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5}
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == {
        "gateway.networking.k8s.io/gateway-name": "edge"
    }


def test_what_a_gateway_asks_for_comes_after_the_defaults_of_its_class() -> None:
    defaults = {"deployment": "spec: {replicas: 2, minReadySeconds: 1}", "podDisruptionBudget": ""}
    spec = deployed({"deployment": "spec: {replicas: 4}"}, defaults)["Deployment"]["spec"]
    assert (spec["replicas"], spec["minReadySeconds"]) == (4, 1)
    assert "PodDisruptionBudget" in deployed(None, defaults)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"job": ""}, 'ConfigMap front/mine has key "job"; known are deployment, service'),
        ({"deployment": "a: ["}, "ConfigMap front/mine: deployment cannot be read"),
        ({"deployment": "[1]"}, "deployment is no mapping"),
        ({"service": "metadata: {name: other}"}, "metadata.name of the Service cannot be chosen"),
        ({"service": "metadata: {ownerReferences: null}"}, "metadata.ownerReferences of the Service"),
    ],
)
def test_what_cannot_be_used_says_why(data: dict[str, str], message: str) -> None:
    with pytest.raises(parameters.ParametersError) as error:
        deployed(data)
    assert message in str(error.value)


def test_what_is_read_is_plain_json() -> None:
    annotations = deployed({"service": "metadata: {annotations: {day: 2026-01-02}}"})["Service"]["metadata"]
    assert annotations["annotations"] == {"day": "2026-01-02"}
