"""ServiceEntries about one host: what makes them one service, and what they then are."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import joining


def entry(name: str, *ports: tuple[int, str], namespace: str = "shop", **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry"}
    labels = spec.pop("labels", {})
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    listed = [{"number": number, "name": port} for number, port in ports or [(80, "http")]]
    more = {"resolution": "STATIC", "endpoints": [{"address": f"192.0.2.{name}"}], **spec}
    return parsing.parse(
        {**about, "metadata": metadata, "spec": {"hosts": ["a.example"], "ports": listed, **more}}
    )


def test_ports_and_endpoints_of_a_namespace_are_joined_under_the_oldest() -> None:
    found = joining.join([entry("1", (80, "http")), entry("2", (80, "http"), (443, "tls"))], {}, [])
    (service,) = found.services
    assert service.ref.name == "1"
    assert [(port.number, port.name) for port in service.ports] == [(80, "http"), (443, "tls")]
    assert {key[2]: [one.ip for one in behind] for key, behind in found.endpoints.items()} == {
        80: ["192.0.2.1", "192.0.2.2"],
        443: ["192.0.2.2"],
    }


def test_endpoints_of_a_port_with_another_name_do_not_count() -> None:
    found = joining.join([entry("1", (80, "http")), entry("2", (80, "web"))], {}, [])
    assert [[one.ip for one in behind] for behind in found.endpoints.values()] == [["192.0.2.1"]]


@pytest.mark.parametrize(
    "other",
    [
        {"namespace": "other"},
        {"exportTo": ["."]},
        {"labels": {"tier": "2"}},
        {"resolution": "NONE", "endpoints": []},
        {"hosts": ["b.example"]},
    ],
)
def test_what_differs_otherwise_is_another_service(other: dict[str, Any]) -> None:
    found = joining.join([entry("1"), entry("2", (443, "tls"), **other)], {}, [])
    assert [[port.number for port in service.ports] for service in found.services] == [[80], [443]]
    assert all(key[1].name == "1" for key in found.endpoints if key[2] == 80)
