from __future__ import annotations

import pytest

from bookmesh.mesh.injection import injecting, interception
from bookmesh.mesh.injection.settings import InjectionError, InjectionSettings
from bookmesh.mesh.snapshot import proxy_configs

SETTINGS = InjectionSettings(tag="1.28.0")


def inject(annotations=None, containers=None, own=None):
    metadata = {"name": "p", "namespace": "default", "annotations": annotations or {}}
    pod = {"metadata": metadata, "spec": {"containers": containers or [{"name": "app"}]}}
    labels = {"istio-injection": "enabled"}
    return injecting.inject(pod, namespace_labels=labels, settings=SETTINGS, own=own)


def test_a_gateway_without_a_proxy_container_gets_one():
    pod = inject({"inject.istio.io/templates": "gateway"})
    assert [container["name"] for container in pod["spec"]["containers"]] == ["app", "istio-proxy"]
    assert interception.rules_for(pod) is None


def test_a_sidecar_pod_speaks_mtls_and_a_gateway_does_not():
    assert inject()["metadata"]["labels"]["security.istio.io/tlsMode"] == "istio"
    gateway = inject({"inject.istio.io/templates": "gateway"})
    assert "security.istio.io/tlsMode" not in gateway["metadata"]["labels"]


def test_the_template_can_be_told_after_injection():
    assert injecting.template_for(inject()) == "sidecar"
    assert injecting.template_for(inject({"inject.istio.io/templates": "gateway"})) == "gateway"


def test_an_unknown_template_is_refused():
    with pytest.raises(InjectionError, match='asks for "grpc-agent"'):
        inject({"inject.istio.io/templates": "grpc-agent"})


def test_annotations_that_cannot_be_read_are_refused_at_once():
    with pytest.raises(InjectionError, match="excludeInboundPorts"):
        inject({"traffic.sidecar.istio.io/excludeInboundPorts": "http"})


def test_a_proxy_config_that_cannot_be_read_is_refused_at_once():
    with pytest.raises(InjectionError, match=r"annotation proxy\.istio\.io/config cannot be read"):
        inject({"proxy.istio.io/config": "proxyStatsMatcher: ["})


def proxy_of(pod):
    spec = pod["spec"]
    found = [*spec.get("initContainers", []), *spec["containers"]]
    return next(container for container in found if container["name"] == "istio-proxy")


def test_variables_and_image_of_the_pods_proxy():
    own = proxy_configs.ProxySettings((("A", "1"), ("POD_NAME", "no")), "distroless")
    for wanted in ({}, {"inject.istio.io/templates": "gateway"}):
        proxy = proxy_of(inject(wanted, own=own))
        assert {"name": "A", "value": "1"} in proxy["env"]
        assert "value" not in next(v for v in proxy["env"] if v["name"] == "POD_NAME")
        assert proxy["image"] == "docker.io/istio/proxyv2:1.28.0-distroless"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, None),
        ({"concurrency": 3}, ["--concurrency", "3", "--drain-time-s", "5"]),
        ({"concurrency": 0}, ["--cpuset-threads", "--drain-time-s", "5"]),
        ({"drain_s": 45}, ["--concurrency", "1", "--drain-time-s", "45"]),
    ],
)
def test_threads_and_drain_of_the_pods_proxy(own, expected):
    assert proxy_of(inject(own=proxy_configs.ProxySettings(**own))).get("args") == expected


def test_what_the_pod_says_about_its_container_wins():
    mine = {"name": "istio-proxy", "image": "mine", "env": [{"name": "A", "value": "pod"}]}
    own = proxy_configs.ProxySettings((("A", "1"),), "debug")
    proxy = proxy_of(inject(containers=[{"name": "app"}, mine], own=own))
    assert (proxy["image"], [v for v in proxy["env"] if v["name"] == "A"]) == ("mine", mine["env"])
