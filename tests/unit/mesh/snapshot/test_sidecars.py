"""Which Sidecar is in force, and what it shows."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import sidecars


def sidecar(name: str, namespace: str = "shop", **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar"}
    return parsing.parse({**about, "metadata": {"name": name, "namespace": namespace}, "spec": spec})


def view(*configs: parsing.Parsed, **labels: str) -> sidecars.View | None:
    return sidecars.view_for("shop", labels, configs, root_namespace="root")


def shown(found: sidecars.View, host: str, namespace: str) -> bool:
    return found.shows_service(services.Service(hostname=host, name="x", namespace=namespace))


def test_selector_wins_over_namespace_and_that_over_root() -> None:
    root, own = sidecar("r", "root"), sidecar("o")
    chosen = sidecar("s", workloadSelector={"labels": {"app": "a"}})
    names = [
        found.ref.name if found else None
        for found in (view(root, own, chosen, app="a"), view(root, own, chosen), view(root), view())
    ]
    assert names == ["s", "o", "r", None]


def test_without_egress_everything_is_shown() -> None:
    found = view(sidecar("o", outboundTrafficPolicy={"mode": "REGISTRY_ONLY"}))
    assert found is not None
    assert shown(found, "a.b", "other")
    assert found.outbound == "REGISTRY_ONLY"


def test_egress_is_by_namespace_and_host() -> None:
    found = view(sidecar("o", egress=[{"hosts": ["./*", "other/*.example.com", "~/*"]}]))
    assert found is not None
    seen = [shown(found, *one) for one in (("a.b", "shop"), ("a.example.com", "other"), ("a.b", "other"))]
    assert seen == [True, True, False]
