from __future__ import annotations

from typing import Any

from bookmesh.cli.istioctl.analyzers import objects
from bookmesh.cli.istioctl.analyzers.objects import Objects


def thing(kind: str, name: str, namespace: str = "", **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"kind": kind, "apiVersion": "v1", "metadata": metadata, **parts}


def test_the_later_of_two_counts_and_a_namespace_is_added() -> None:
    found = Objects([thing("Service", "a", spec=1), thing("Service", "a", "team", spec=2)], namespace="team")
    assert [each["spec"] for each in found.of("Service")] == [2]
    assert found.find("Service", "team", "a") is not None
    assert found.find("Service", "default", "a") is None
    assert "namespace" not in Objects([thing("Namespace", "x")]).of("Namespace")[0]["metadata"]


def test_what_is_no_object_is_left_out() -> None:
    assert list(Objects([{"kind": "Service"}, {"metadata": {"name": "a"}}]).all()) == []


def test_gateways_of_the_gateway_api_are_another_kind() -> None:
    other = thing("Gateway", "a") | {"apiVersion": "gateway.networking.k8s.io/v1"}
    assert Objects([other]).of("Gateway") == []


def test_pods_and_templates_run() -> None:
    template = {"metadata": {"labels": {"app": "b"}}}
    pod = thing("Pod", "a", "one")
    pod["metadata"]["labels"] = {"app": "a"}
    found = Objects([pod, thing("Deployment", "b", "two", spec={"template": template})])
    assert list(found.labels_in("one")) == [{"app": "a"}]
    assert list(found.labels_in(None)) == [{"app": "a"}, {"app": "b"}]


def test_hosts_mean_services_and_entries() -> None:
    entry = thing("ServiceEntry", "e", spec={"hosts": ["*.a.com"]})
    found = Objects([thing("Service", "a", "one"), entry])
    for host in ("a", "a.one", "a.one.svc", "a.one.svc.cluster.local"):
        assert (found.service(host, "one") is not None) is True
    assert found.service("a", "two") is None
    assert found.entries("x.a.com")
    assert not found.entries("b.com")
    assert not objects.selects({}, {"a": "b"})
    assert objects.selects({"a": "b"}, {"a": "b", "c": "d"})
