"""ServiceEntries become services and endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import entries, registry, workloads


def entry(name: str = "it", **spec: Any) -> parsing.Parsed:
    port = {"number": 80, "name": "http", "targetPort": 8080}
    about = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry"}
    metadata = {"name": name, "namespace": "shop", "creationTimestamp": name}
    return parsing.parse({**about, "metadata": metadata, "spec": {"hosts": ["A.b"], "ports": [port], **spec}})


def addresses(parsed: parsing.Parsed, *pods: workloads.Workload) -> list[tuple[str, int]]:
    found = dict(entries.build_endpoints(parsed, {pod.ip: pod for pod in pods}))
    return [(endpoint.ip, endpoint.port) for endpoint in found.get(("a.b", 80), ())]


def test_each_host_is_a_service() -> None:
    found = entries.build_services(entry(hosts=["A.b", "c.d"], addresses=["10.0.0.1", "10.1.0.0/16"]))
    assert [service.hostname for service in found] == ["a.b", "c.d"]
    assert (found[0].addresses, found[0].ranges) == (("10.0.0.1",), ("10.1.0.0/16",))
    assert (found[0].resolution, found[0].is_external, str(found[0].ref)) == (
        "NONE",
        True,
        "ServiceEntry shop/it",
    )


def test_entry_that_cannot_be_parsed_is_no_service() -> None:
    assert entries.build_services(entry(hosts=[])) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"resolution": "DNS"}, [("a.b", 8080)]),
        ({"resolution": "NONE", "endpoints": [{"address": "1.1.1.1"}]}, []),
        ({"resolution": "STATIC"}, []),
        ({"resolution": "STATIC", "endpoints": [{"address": "1.1.1.1"}]}, [("1.1.1.1", 8080)]),
        ({"resolution": "DNS", "endpoints": [{"address": "x.y", "ports": {"http": 9}}]}, [("x.y", 9)]),
    ],
)
def test_resolution_says_where_endpoints_come_from(
    spec: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    assert addresses(entry(**spec)) == expected


def test_pods_are_selected_in_the_namespace_of_the_entry() -> None:
    pods = [
        workloads.Workload("a", namespace, "a", ip, "a", labels={"app": "a"})
        for namespace, ip in (("shop", "10.0.0.1"), ("other", "10.0.0.2"))
    ]
    selected = entry(resolution="STATIC", workloadSelector={"labels": {"app": "a"}})
    assert addresses(selected, *pods) == [("10.0.0.1", 8080)]


def test_older_entry_and_any_service_win() -> None:
    service = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}}
    rivals = [entry("2", resolution="DNS"), entry("1"), entry("0", hosts=["web.shop.svc.cluster.local"])]
    found = registry.build([service], [], [], [], configs=rivals).services
    assert {host: service.ref.name for host, service in found.items()} == {
        "a.b": "1",
        "web.shop.svc.cluster.local": "web",
    }
