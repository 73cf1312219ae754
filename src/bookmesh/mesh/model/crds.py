"""The CustomResourceDefinitions of all kinds, derived from the structures."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import kinds, schemas


def build_crds() -> list[JsonObject]:
    """Build one CRD a kind, in the order of `kinds.KINDS`."""
    return [build_crd(kind) for kind in kinds.KINDS]


def build_crd(kind: kinds.Kind) -> JsonObject:
    singular = kind.kind.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{kind.group}",
            "labels": {"app": "istio-pilot", "chart": "istio", "istio": "crd"},
        },
        "spec": {
            "group": kind.group,
            "names": {
                "categories": ["istio-io", kind.group.replace(".", "-")],
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                **({"shortNames": [kind.short_name]} if kind.short_name else {}),
                "singular": singular,
            },
            "scope": "Namespaced",
            "versions": [_version(kind, version) for version in kind.versions],
        },
    }


def _version(kind: kinds.Kind, version: str) -> JsonObject:
    spec = schemas.schema_for(kind.spec)
    columns: list[dict[str, Any]] = [
        {"name": c.name, "jsonPath": c.path, "description": c.description, "type": c.type}
        for c in kind.columns
    ]
    columns.append({"name": "Age", "jsonPath": ".metadata.creationTimestamp", "type": "date"})
    return {
        "name": version,
        "served": True,
        "storage": version == kind.versions[0],
        "additionalPrinterColumns": columns,
        "subresources": {"status": {}},
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "description": spec["description"],
                "properties": {
                    "spec": spec,
                    "status": {
                        "type": "object",
                        "description": "What the mesh says about the object.",
                        "x-kubernetes-preserve-unknown-fields": True,
                    },
                },
            }
        },
    }
