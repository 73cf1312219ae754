"""BM0212: WorkloadEntries with names, where addresses are needed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import unused_names

SERVICE = {
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"ports": [{"name": "http", "port": 80}], "selector": {"app": "web"}},
}


def entry(address: str, namespace: str = "default", **labels: str) -> dict[str, Any]:
    return small.istio("WorkloadEntry", "machine", namespace, address=address, labels=labels)


def written(resolution: str) -> dict[str, Any]:
    return small.istio(
        "ServiceEntry",
        "outside",
        hosts=["outside.example.com"],
        ports=[{"number": 80, "name": "http", "protocol": "HTTP"}],
        resolution=resolution,
        workloadSelector={"labels": {"app": "web"}},
    )


def test_what_leaves_a_name_out_is_told() -> None:
    found = list(
        unused_names.check(
            small.snapshot(SERVICE, written("STATIC"), entry("machine.example.com", app="web"))
        )
    )
    assert {(each.code, each.severity, each.where) for each in found} == {
        ("BM0212", "warning", "spec.address")
    }
    assert "left out of Service default/web" in found[0].message
    assert "left out of ServiceEntry default/outside" in found[1].message


@pytest.mark.parametrize(
    "objects",
    [
        (SERVICE, entry("192.0.2.1", app="web")),
        (SERVICE, entry("machine.example.com", app="other")),
        (SERVICE, entry("machine.example.com", "elsewhere", app="web")),
        (written("DNS"), entry("machine.example.com", app="web")),
        (SERVICE, entry("", app="web")),
    ],
)
def test_what_nobody_leaves_out_is_not_told(objects: tuple[dict[str, Any], ...]) -> None:
    assert list(unused_names.check(small.snapshot(*objects))) == []
