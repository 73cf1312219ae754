from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import environment
from bookmesh.kube.node.sources import SourceError, Sources

SOURCES = Sources(
    namespace="default",
    config_maps={"settings": {"data": {"color": "red", "size": "L"}}},
    secrets={"login": {"data": {"user": "amFzb24="}}},
)
SERVICES = {"REVIEWS_SERVICE_HOST": "10.96.0.7"}


def build(container: dict[str, Any]) -> dict[str, str]:
    pod = fakes.pod({"name": "c"})
    pod["status"] = {"podIP": "10.244.0.2"}
    return environment.build_environment(
        {"name": "c", **container}, pod=pod, sources=SOURCES, service_variables=SERVICES, allocatable={}
    )


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"env": [{"name": "A", "value": "1"}]}, {"A": "1"}, id="value"),
        pytest.param({"env": [{"name": "A"}]}, {"A": ""}, id="no value is empty"),
        pytest.param(
            {
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "value": "$(A)/$(C)"},
                    {"name": "C", "value": "3"},
                ]
            },
            {"A": "1", "B": "1/$(C)", "C": "3"},
            id="a value sees only what came before it",
        ),
        pytest.param(
            {"env": [{"name": "A", "value": "http://$(REVIEWS_SERVICE_HOST)"}]},
            {"A": "http://10.96.0.7"},
            id="a value sees services",
        ),
        pytest.param(
            {"env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]},
            {"IP": "10.244.0.2"},
            id="field",
        ),
        pytest.param(
            {"env": [{"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu"}}}]},
            {"CPU": "0"},
            id="resource",
        ),
        pytest.param(
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}}]},
            {"A": "red"},
            id="key of a config map",
        ),
        pytest.param(
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "login", "key": "user"}}}]},
            {"A": "jason"},
            id="key of a secret",
        ),
        pytest.param(
            {
                "env": [
                    {"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "k", "optional": True}}}
                ]
            },
            {},
            id="an optional key that is missing leaves the variable out",
        ),
        pytest.param(
            {
                "envFrom": [
                    {"configMapRef": {"name": "settings"}, "prefix": "P_"},
                    {"secretRef": {"name": "login"}},
                ]
            },
            {"P_color": "red", "P_size": "L", "user": "jason"},
            id="whole objects",
        ),
        pytest.param(
            {
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "env": [{"name": "color", "value": "blue"}],
            },
            {"color": "blue", "size": "L"},
            id="env wins over envFrom",
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "x", "optional": True}}]},
            {},
            id="an optional whole object",
        ),
        pytest.param(
            {"env": [{"name": "REVIEWS_SERVICE_HOST", "value": "mine"}]},
            {"REVIEWS_SERVICE_HOST": "mine"},
            id="env wins over services",
        ),
    ],
)
def test_environment(container: dict[str, Any], expected: dict[str, str]) -> None:
    assert build(container) == {**SERVICES, **expected}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"envFrom": [{"configMapRef": {"name": "x"}}]}, 'configmap "x" not found'),
        ({"envFrom": [{"secretRef": {"name": "x"}}]}, 'secret "x" not found'),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "k"}}}]},
            'configmap "x" not found',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "k"}}}]},
            "couldn't find key k in ConfigMap default/settings",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "login", "key": "k"}}}]},
            "couldn't find key k in Secret default/login",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]},
            "unsupported fieldPath: spec.x",
        ),
        ({"env": [{"name": "A", "valueFrom": {}}]}, "invalid valueFrom: empty"),
    ],
)
def test_what_is_missing_is_named(container: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError) as raised:
        build(container)
    assert str(raised.value) == message


def service(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def test_service_variables_are_the_kubelets() -> None:
    services = [
        service(
            "product-page",
            clusterIP="10.96.0.9",
            ports=[{"name": "http-web", "port": 9080}, {"name": "dns", "port": 53, "protocol": "UDP"}],
        ),
        service("headless", clusterIP="None", ports=[{"port": 80}]),
        service("elsewhere", namespace="other", clusterIP="10.96.0.10", ports=[{"port": 80}]),
        service("external", ports=[{"port": 80}]),
    ]
    variables = environment.build_service_variables(services, namespace="default", links=True)
    assert {name: value for name, value in variables.items() if name.startswith("PRODUCT")} == {
        "PRODUCT_PAGE_SERVICE_HOST": "10.96.0.9",
        "PRODUCT_PAGE_SERVICE_PORT": "9080",
        "PRODUCT_PAGE_SERVICE_PORT_HTTP_WEB": "9080",
        "PRODUCT_PAGE_SERVICE_PORT_DNS": "53",
        "PRODUCT_PAGE_PORT": "tcp://10.96.0.9:9080",
        "PRODUCT_PAGE_PORT_9080_TCP": "tcp://10.96.0.9:9080",
        "PRODUCT_PAGE_PORT_9080_TCP_PROTO": "tcp",
        "PRODUCT_PAGE_PORT_9080_TCP_PORT": "9080",
        "PRODUCT_PAGE_PORT_9080_TCP_ADDR": "10.96.0.9",
        "PRODUCT_PAGE_PORT_53_UDP": "udp://10.96.0.9:53",
        "PRODUCT_PAGE_PORT_53_UDP_PROTO": "udp",
        "PRODUCT_PAGE_PORT_53_UDP_PORT": "53",
        "PRODUCT_PAGE_PORT_53_UDP_ADDR": "10.96.0.9",
    }
    assert variables["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert variables["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
    assert not any(name.startswith(("HEADLESS", "ELSEWHERE", "EXTERNAL")) for name in variables)


def test_without_links_only_the_api_server_is_announced() -> None:
    services = [service("reviews", clusterIP="10.96.0.9", ports=[{"port": 9080}])]
    variables = environment.build_service_variables(services, namespace="default", links=False)
    assert {name.partition("_")[0] for name in variables} == {"KUBERNETES"}
