"""WorkloadEntry: addresses and what goes with them."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import parsing, workload_entries


def parse(**spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry"}
    return parsing.parse({**about, "metadata": {"name": "it"}, "spec": spec})


def test_all_fields_are_read() -> None:
    parsed = parse(address="192.0.2.1", ports={"http": 80}, labels={"a": "b"}, weight=2, serviceAccount="s")
    assert isinstance(parsed.spec, workload_entries.WorkloadEntry)
    assert (parsed.spec.ports, parsed.spec.weight, parsed.findings) == ({"http": 80}, 2, ())


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({}, "address is required"),
        ({"address": "unix://relative"}, "neither"),
        ({"address": "unix:///directory/"}, "neither"),
        ({"address": "unix:///socket", "ports": {"http": 80}}, "has no ports"),
    ],
)
def test_addresses_are_checked(spec: dict[str, Any], text: str) -> None:
    assert text in parse(**spec).findings[0].message


def test_networks_are_not_acted_on() -> None:
    assert [f.where for f in parse(address="192.0.2.1", network="n").findings] == ["spec.network"]
