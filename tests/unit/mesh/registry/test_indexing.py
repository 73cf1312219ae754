"""What belongs to a host is found, and whom a change concerns is told."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import indexing, services, slices, workloads

HOST = "web.shop.svc.cluster.local"
SERVICE = services.Service(HOST, "web", "shop", selector={"app": "web", "version": "v1"})


def pod(name: str, ip: str, **labels: str) -> workloads.Workload:
    obj: dict[str, Any] = {
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"serviceAccountName": name},
        "status": {"podIP": ip},
    }
    return workloads.build_workload(obj)


def entry(name: str, *hosts: str) -> parsing.Parsed:
    metadata = {"name": name, "namespace": "shop"}
    kind = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry"}
    return parsing.parse(kind | {"metadata": metadata, "spec": {"hosts": hosts}})


def test_pods_of_a_service_have_all_of_its_labels_and_come_by_name() -> None:
    found = indexing.Indexes(domain="cluster.local")
    both = {"app": "web", "version": "v1"}
    pods = [pod("b", "10.0.0.2", **both), pod("a", "10.0.0.1", **both), pod("c", "10.0.0.3", app="web")]
    addresses = found.note_workloads({("shop", one.pod): (None, one) for one in pods})
    assert addresses == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    assert [one.pod for one in found.pods_of(SERVICE)] == ["a", "b"]
    assert found.pods_of(services.Service(HOST, "web", "shop")) == ()


def test_of_two_pods_with_one_address_the_last_one_counts_while_it_is_there() -> None:
    found = indexing.Indexes(domain="cluster.local")
    first, second = pod("a", "10.0.0.1"), pod("b", "10.0.0.1")
    found.note_workloads({("shop", "b"): (None, second), ("shop", "a"): (None, first)})
    assert found.pod_at("10.0.0.1") is second
    found.note_workloads({("shop", "b"): (second, None)})
    assert found.pod_at("10.0.0.1") is first
    assert found.pod_at("10.0.0.2") is None


def test_a_slice_concerns_the_host_that_it_was_for_and_the_one_that_it_is_for() -> None:
    found = indexing.Indexes(domain="cluster.local")
    before, after = (slices.Slice(name, "shop", (("", 80),), ("10.0.0.1",)) for name in ("web", "api"))
    assert found.note_slices({("shop", "x"): (None, before)}) == {HOST}
    assert [*found.hosts_at("10.0.0.1")] == [HOST]
    assert found.note_slices({("shop", "x"): (before, after)}) == {HOST, "api.shop.svc.cluster.local"}
    assert [*found.slices_of(HOST)] == []
    assert [*found.hosts_at("10.0.0.1")] == ["api.shop.svc.cluster.local"]


def test_entries_are_found_by_each_of_their_hosts_in_lower_case() -> None:
    found = indexing.Indexes(domain="cluster.local")
    one, other = entry("one", "A.b", "c.d"), entry("other", "a.b")
    assert found.note_entries((), (one, other)) == {"a.b", "c.d"}
    assert found.entries_of("a.b") == [one, other]
    assert found.note_entries((one,), ()) == {"a.b", "c.d"}
    assert found.entries_of("a.b") == [other]
    assert found.entries_of("c.d") == []
