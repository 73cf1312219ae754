"""Endpoints: what a ServiceEntry says wins over what the pod says."""

from __future__ import annotations

from bookmesh.mesh.registry import endpoints, workloads

POD = workloads.Workload(
    "web", "shop", "web-1", "10.0.0.1", "web", labels={"version": "v1"}, locality=workloads.Locality("eu")
)


def test_pod_gives_labels_and_locality() -> None:
    found = endpoints.Endpoint("10.0.0.1", 80, POD)
    assert (found.labels, found.locality.region) == ({"version": "v1"}, "eu")


def test_entry_wins_over_the_pod() -> None:
    where = workloads.Locality("us")
    found = endpoints.Endpoint("10.0.0.1", 80, POD, own_labels={"version": "v2"}, own_locality=where)
    assert (found.labels, found.locality) == ({"version": "v2"}, where)


def test_bare_address_has_neither() -> None:
    found = endpoints.Endpoint("10.0.0.1", 80)
    assert (found.labels, found.locality, found.speaks_mtls) == ({}, workloads.Locality(), False)
