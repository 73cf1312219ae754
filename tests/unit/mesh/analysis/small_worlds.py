"""Objects for tests of single analyzers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.golden.translate import worlds

from bookmesh.base.findings import Finding
from bookmesh.mesh.model import base, destination_rules, parsing, virtual_services
from bookmesh.mesh.snapshot import snapshot as snapshots

Check = Callable[[parsing.Parsed, snapshots.MeshSnapshot], Iterator[Finding]]


def istio(kind: str, name: str = "it", namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """One Istio object."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def routing_to(host: str, subset: str = "", **spec: Any) -> dict[str, Any]:
    """A VirtualService with one destination."""
    destination = {"host": host, **({"subset": subset} if subset else {})}
    return istio(
        "VirtualService", **{"hosts": ["web"], "http": [{"route": [{"destination": destination}]}], **spec}
    )


def service(name: str, namespace: str = "default") -> dict[str, Any]:
    ports = [{"name": "http", "port": 80}]
    return {"kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": {"ports": ports}}


def snapshot(*objects: dict[str, Any]) -> snapshots.MeshSnapshot:
    return worlds.build(list(objects), {}).snapshot


def about_routes(check: Check, *objects: dict[str, Any]) -> list[Finding]:
    """What an analyzer says about every VirtualService among some objects."""
    return _about(virtual_services.VirtualService, check, *objects)


def about_rules(check: Check, *objects: dict[str, Any]) -> list[Finding]:
    """What an analyzer says about every DestinationRule among some objects."""
    return _about(destination_rules.DestinationRule, check, *objects)


def _about(kind: type[base.Model], check: Check, *objects: dict[str, Any]) -> list[Finding]:
    found = snapshot(*objects)
    return [finding for parsed in found.configs.of(kind) for finding in check(parsed, found)]
