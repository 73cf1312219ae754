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


def test_addresses_that_say_the_same_count_once() -> None:
    given = [
        "203.0.113.0/24",
        "198.51.100.1",
        "203.0.113.9/24",
        "198.51.100.1/32",
        "203.0.113.0/25",
        "192.0.2.7/32",
    ]
    (service,) = entries.build_services(entry(hosts=["a.example"], addresses=given))
    assert service.addresses == ("198.51.100.1", "192.0.2.7")
    assert [str(one) for one in service.ranges] == ["203.0.113.0/24", "203.0.113.0/25"]


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
    found = registry.build([service], [], [], [], configs=rivals)
    assert {host: service.ref.name for host, service in found.services.items()} == {
        "a.b": "1",
        "web.shop.svc.cluster.local": "web",
    }
    assert {host: [one.ref.name for one in several] for host, several in found.rivals.items()} == {
        "a.b": ["1", "2"],
        "web.shop.svc.cluster.local": ["web", "0"],
    }


def written(name: str, address: str, namespace: str = "shop", **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry"}
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": name}
    labels = {"labels": {"app": "a"}}
    return parsing.parse({**about, "metadata": metadata, "spec": {"address": address, **labels, **spec}})


def test_selector_finds_pods_and_entries_each_with_its_own_port() -> None:
    pods = [
        workloads.Workload("p", "shop", "p", "10.0.0.1", "p", labels={"app": "a"}, ports={"http": 7000}),
        workloads.Workload("q", "shop", "q", "10.0.0.2", "q", labels={"app": "a"}),
    ]
    more = [
        workloads.build_entry(c.metadata.name, c.metadata.namespace, c.spec)  # type: ignore[arg-type]
        for c in (
            written("x", "10.0.0.3", ports={"http": 9000}),
            written("y", "10.0.0.4", "other"),
            written("z", "10.0.0.2"),
        )
    ]
    selected = entry(resolution="STATIC", workloadSelector={"labels": {"app": "a"}})
    found = dict(entries.build_endpoints(selected, {pod.ip: pod for pod in pods}, more))[("a.b", 80)]
    assert [(e.ip, e.port, e.workload.name) for e in found if e.workload] == [
        ("10.0.0.1", 7000, "p"),
        ("10.0.0.2", 8080, "q"),  # and not once more as an entry
        ("10.0.0.3", 9000, "x"),
    ]


def test_service_of_kubernetes_selects_entries_beside_pods() -> None:
    ports = [
        {"name": "http", "port": 80, "targetPort": 8080},
        {"name": "n", "port": 81, "targetPort": "named"},
    ]
    spec = {"selector": {"app": "a"}, "ports": ports}
    service = {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}
    configs = [
        written("1", "192.0.2.1", ports={"http": 8888}, weight=3),
        written("2", "192.0.2.2", ports={"named": 9999}),
        written("3", "192.0.2.3", "other"),
    ]
    found = registry.build([service], [], [], [], configs=configs)
    web = found.services["web.shop.svc.cluster.local"]
    by_port = {port: [(e.ip, e.port, e.weight) for e in found.endpoints_of(web, port)] for port in (80, 81)}
    assert by_port == {
        80: [("192.0.2.1", 8888, 3), ("192.0.2.2", 8080, 1)],
        81: [("192.0.2.2", 9999, 1)],
    }


@pytest.mark.parametrize(
    ("spec", "speaks"),
    [
        ({}, False),
        ({"serviceAccount": "s"}, True),
        ({"serviceAccount": "s", "labels": {"security.istio.io/tlsMode": "disabled"}}, False),
        ({"labels": {"security.istio.io/tlsMode": "istio"}}, True),
    ],
)
def test_an_identity_or_a_label_means_mtls(spec: dict[str, Any], speaks: bool) -> None:
    at = {"address": "192.0.2.1", **spec}
    selected = entry(resolution="STATIC", endpoints=[at])
    (found,) = dict(entries.build_endpoints(selected, {}))[("a.b", 80)]
    assert found.speaks_mtls is speaks
