"""Settings of a gateway's objects laid onto its manifest."""

from __future__ import annotations

from typing import Any

import yaml

from bookmesh.cli.istioctl import gateway_settings, installing


def build(k8s: dict[str, Any], **labels: str) -> dict[str, dict[str, Any]]:
    """The objects of the ingress gateway by kind."""
    documents = yaml.safe_load_all(installing.read_manifest(installing.INGRESS.manifest, "istio-system"))
    return {each["kind"]: each for each in gateway_settings.apply(documents, k8s, labels)}


def test_without_settings_nothing_is_other_than_in_the_manifest() -> None:
    found = build({})
    assert found["Deployment"]["spec"]["replicas"] == 1
    assert [port["port"] for port in found["Service"]["spec"]["ports"]] == [15021, 80, 443, 31400]
    assert "HorizontalPodAutoscaler" not in found


def test_service_pods_and_container_get_what_is_for_them() -> None:
    ports = [{"name": "tls", "port": 15443, "targetPort": 15443}]
    found = build(
        {
            "service": {"type": "ClusterIP", "ports": ports},
            "serviceAnnotations": {"a": "b"},
            "replicaCount": 2,
            "resources": {"requests": {"cpu": "10m"}},
            "env": [{"name": "A", "value": "a"}],
            "nodeSelector": {"disk": "ssd"},
            "podAnnotations": {"c": "d"},
        },
        team="edge",
    )
    service, deployment = found["Service"], found["Deployment"]
    assert (service["spec"]["type"], service["spec"]["ports"]) == ("ClusterIP", ports)
    assert service["metadata"]["annotations"] == {"a": "b"}
    template = deployment["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert (deployment["spec"]["replicas"], template["spec"]["nodeSelector"]) == (2, {"disk": "ssd"})
    assert container["resources"] == {"requests": {"cpu": "10m"}}
    assert container["env"] == [{"name": "A", "value": "a"}]
    assert template["metadata"]["annotations"] == {"inject.istio.io/templates": "gateway", "c": "d"}
    assert template["metadata"]["labels"]["team"] == "edge"
    assert "team" not in deployment["spec"]["selector"]["matchLabels"]


def test_an_autoscaler_has_the_number_of_pods_to_itself() -> None:
    found = build({"hpaSpec": {"maxReplicas": 4}})
    assert "replicas" not in found["Deployment"]["spec"]
    assert found["HorizontalPodAutoscaler"]["spec"] == {
        "minReplicas": 1,
        "maxReplicas": 4,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "istio-ingressgateway"},
    }


def test_other_fields_are_unknown() -> None:
    assert gateway_settings.unknown({"overlays": [], "env": [], "replicas": 2}) == ["overlays", "replicas"]
