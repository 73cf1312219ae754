"""Changes for tests of what they do."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.snapshot import envoy_filters
from bookmesh.mesh.translate.patching import applying


def change(apply_to: str, operation: str, value: Any = None, **match: Any) -> dict[str, Any]:
    """One change as the YAML has it."""
    patch = {"operation": operation} | ({"value": value} if value is not None else {})
    return {"applyTo": apply_to, "match": match, "patch": patch}


def patches(*changes: dict[str, Any], name: str = "it") -> tuple[envoy_filters.Patch, ...]:
    about = {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter"}
    parsed = parsing.parse({**about, "metadata": {"name": name}, "spec": {"configPatches": list(changes)}})
    assert parsed.findings == (), parsed.findings
    assert parsed.spec is not None
    return tuple(envoy_filters.patches_in(parsed, parsed.spec))  # type: ignore[arg-type]


def place(
    *changes: dict[str, Any],
    context: str = "SIDECAR_OUTBOUND",
    ports: tuple[tuple[int, tuple[int, ...]], ...] = (),
) -> applying.Place:
    found = patches(*changes)
    values = applying.read_values(found)
    return applying.Place(context, found, ports, values)  # type: ignore[arg-type]
