"""
The schemas of every served kind: built-ins from the generated file, custom ones from their CRDs.

The generated file is made by `build_hooks/schemas.py` when the package is built or installed; without it nothing can be
served, so loading fails with that advice. Definition names are those of a real API server (`io.k8s.api.core.v1.Pod`).
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import metrics_schemas, nodes

OBJECT_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_GROUP_VERSION_KIND: Final = "x-kubernetes-group-version-kind"
_GENERATED: Final = "generated/kubernetes.json"

GroupVersionKind = tuple[str, str, str]


class SchemasMissingError(Exception):
    """The generated file is not there or is not whole."""


class Schemas:
    """Schema nodes and OpenAPI v3 components by group, version and kind."""

    def __init__(self, document: JsonObject) -> None:
        """`document` has `kubernetes` (a version) and `definitions` (OpenAPI v3 schemas by name)."""
        self.kubernetes_version: str = document["kubernetes"]
        self._definitions: dict[str, JsonObject] = {**metrics_schemas.DEFINITIONS, **document["definitions"]}
        self._nodes: dict[str, nodes.Node] = {}
        self._names: dict[GroupVersionKind, str] = {}
        self._custom: dict[str, list[GroupVersionKind]] = {}
        for name, definition in self._definitions.items():
            for entry in definition.get(_GROUP_VERSION_KIND) or ():
                self._names[entry["group"], entry["version"], entry["kind"]] = name

    @classmethod
    def load(cls) -> Schemas:
        """Read the generated file; raises `SchemasMissingError`."""
        source = importlib.resources.files(__package__) / _GENERATED
        try:
            return cls(orjson.loads(source.read_bytes()))
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError) as error:
            advice = "install the package again, or run `python build_hooks/schemas.py` in a clone"
            raise SchemasMissingError(f"{source} cannot be used ({error!r}): {advice}") from error

    def root(self, group: str, version: str, kind: str) -> nodes.Node:
        """Return the node of a whole object; raises KeyError for a kind that has no schema."""
        return self.definition(self._names[group, version, kind])

    def name_for(self, group: str, version: str, kind: str) -> str | None:
        """Return the definition name of a kind, None when it has no schema."""
        return self._names.get((group, version, kind))

    def definition(self, name: str) -> nodes.Node:
        """Return the node of a definition; raises KeyError."""
        node = self._nodes.get(name)
        if node is None:
            node = nodes.resolve(self._definitions[name], self.definition)
            self._nodes[name] = node
        return node

    def components(self, roots: Iterable[GroupVersionKind]) -> dict[str, JsonObject]:
        """
        Return the definitions of some kinds and of everything they refer to, by name, for an OpenAPI v3 document's
        `components.schemas`. Kinds without a schema are left out. Shared: must not be mutated.
        """
        chosen: dict[str, JsonObject] = {}
        waiting = [self._names[root] for root in roots if root in self._names]
        while waiting:
            name = waiting.pop()
            if name not in chosen:
                chosen[name] = self._definitions[name]
                waiting.extend(_references(chosen[name]))
        return dict(sorted(chosen.items()))

    def add_crd(self, crd: JsonObject) -> None:
        """Add the served versions of a valid CustomResourceDefinition, in place of those it had before."""
        self.remove_crd(crd)
        spec = crd["spec"]
        added = self._custom.setdefault(crd["metadata"]["name"], [])
        for version in spec["versions"]:
            if version.get("served"):
                root = (spec["group"], version["name"], spec["names"]["kind"])
                name = ".".join((*reversed(spec["group"].split(".")), version["name"], spec["names"]["kind"]))
                self._definitions[name] = _custom_definition(version, root)
                self._names[root] = name
                added.append(root)

    def remove_crd(self, crd: JsonObject) -> None:
        """Drop what `add_crd` added for the CustomResourceDefinition of that name."""
        for root in self._custom.pop(crd["metadata"]["name"], ()):
            name = self._names.pop(root)
            del self._definitions[name]
            self._nodes.pop(name, None)


def _custom_definition(version: JsonObject, root: GroupVersionKind) -> JsonObject:
    schema: JsonObject = dict((version.get("schema") or {}).get("openAPIV3Schema") or {})
    group, name, kind = root
    schema["type"] = "object"
    schema["properties"] = {
        "apiVersion": {"type": "string", "description": f"{group}/{name}"},
        "kind": {"type": "string", "description": kind},
        **{key: value for key, value in (schema.get("properties") or {}).items() if key != "metadata"},
        "metadata": {"allOf": [{"$ref": nodes.REFERENCE + OBJECT_META}]},
    }
    schema[_GROUP_VERSION_KIND] = [{"group": group, "version": name, "kind": kind}]
    return schema


def _references(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(nodes.REFERENCE)
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)
