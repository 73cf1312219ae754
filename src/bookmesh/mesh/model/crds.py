"""The CustomResourceDefinitions of all kinds, derived from the structures."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import kinds, schemas
from bookmesh.mesh.model.gateway_api import kinds as gateway_kinds
from bookmesh.mesh.model.gateway_api import references, rules


def build_crds() -> list[JsonObject]:
    """Build one CRD a kind of Istio, in the order of `kinds.KINDS`."""
    labels = {"app": "istio-pilot", "chart": "istio", "istio": "crd"}
    return [build_crd(kind, {"labels": labels}) for kind in kinds.KINDS]


def build_gateway_api_crds() -> list[JsonObject]:
    """Build one CRD a kind of the Gateway API, in the order of its table."""
    return [build_gateway_api_crd(kind) for kind in gateway_kinds.KINDS]


def build_gateway_api_crd(kind: kinds.Kind) -> JsonObject:
    """Build the CRD of a kind of the Gateway API, with the rules that its objects keep."""
    group = references.GROUP
    annotations = {
        f"{group}/bundle-version": gateway_kinds.BUNDLE_VERSION,
        f"{group}/channel": gateway_kinds.CHANNEL,
    }
    crd = build_crd(kind, {"annotations": annotations})
    for version in crd["spec"]["versions"]:
        rules.add(version["schema"]["openAPIV3Schema"], kind.kind)
    return crd


def name_of(kind: kinds.Kind) -> str:
    """The name of the CRD of a kind."""
    return f"{kind.plural}.{kind.group}"


def build_crd(kind: kinds.Kind, metadata: JsonObject) -> JsonObject:
    """Build the CRD of one kind; `metadata` is added to its name. Its versions share one schema."""
    singular = kind.kind.lower()
    spec = schemas.schema_for(kind.spec)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name_of(kind), **metadata},
        "spec": {
            "group": kind.group,
            "names": {
                "categories": list(kind.categories) or ["istio-io", kind.group.replace(".", "-")],
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                **({"shortNames": [kind.short_name]} if kind.short_name else {}),
                "singular": singular,
            },
            "scope": "Namespaced" if kind.is_namespaced else "Cluster",
            "versions": [_version(kind, version, spec) for version in kind.versions],
        },
    }


def _version(kind: kinds.Kind, version: str, spec: JsonObject) -> JsonObject:
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
