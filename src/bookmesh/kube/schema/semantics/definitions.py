"""CustomResourceDefinitions: names, versions, and schemas that can be used."""

from __future__ import annotations

import re
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, nodes
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.semantics import names

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_OPEN: Final = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")


def check_definition(definition: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = definition.get("spec") or {}
    group, kind_names = spec.get("group", ""), spec.get("names") or {}
    found = names.check("spec.group", group, names.dns_subdomain)
    if group and "." not in group:
        found.append(causes.invalid("spec.group", group, "should be a domain with at least one dot"))
    wanted = f"{kind_names.get('plural', '')}.{group}"
    if definition["metadata"].get("name") != wanted:
        why = f'must be spec.names.plural+"."+spec.group: {wanted}'
        found.append(causes.invalid("metadata.name", definition["metadata"].get("name", ""), why))
    found += _check_names(kind_names)
    found += _check_versions(spec.get("versions") or [])
    if (spec.get("conversion") or {}).get("strategy", "None") != "None":
        found.append(
            causes.not_supported("spec.conversion.strategy", spec["conversion"]["strategy"], ["None"])
        )
    if old is not None:
        found += _check_change(spec, old["spec"])
    return found


def _check_names(kind_names: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    for field in ("plural", "singular"):
        if kind_names.get(field):
            found += names.check(f"spec.names.{field}", kind_names[field], names.dns_label_1035)
    for field in ("kind", "listKind"):
        if kind_names.get(field):
            found += names.check(f"spec.names.{field}", kind_names[field].lower(), names.dns_label_1035)
    for field in ("shortNames", "categories"):
        for index, name in enumerate(kind_names.get(field) or []):
            found += names.check(f"spec.names.{field}[{index}]", name, names.dns_label_1035)
    return found


def _check_versions(versions: list[dict[str, Any]]) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, version in enumerate(versions):
        where, name = f"spec.versions[{index}]", version.get("name", "")
        found += names.check(f"{where}.name", name, names.dns_label_1035)
        if name in seen:
            found.append(causes.duplicate(f"{where}.name", name))
        seen.add(name)
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        path = f"{where}.schema.openAPIV3Schema"
        if schema is None:
            found.append(causes.required(path, "schemas are required"))
        else:
            if schema.get("type") != "object":
                found.append(
                    causes.invalid(f"{path}.type", schema.get("type", ""), "must be object at the root")
                )
            found += _check_schema(schema, path, is_structural=True)
    if sum(bool(version.get("storage")) for version in versions) != 1:
        why = "must have exactly one version marked as storage version"
        found.append(causes.invalid("spec.versions", [version.get("name") for version in versions], why))
    return found


def _check_schema(schema: Any, path: str, *, is_structural: bool) -> list[Cause]:
    """Check one schema and those inside it. Below anyOf and the like, types need not and may not be repeated."""
    if not isinstance(schema, dict):
        return []
    found: list[Cause] = []
    kind = schema.get("type")
    if kind is not None and kind not in _TYPES:
        found.append(causes.not_supported(f"{path}.type", kind, _TYPES))
    if is_structural and not kind and not any(schema.get(marker) for marker in _OPEN):
        found.append(causes.required(f"{path}.type", "must not be empty for specified object fields"))
    if "pattern" in schema:
        found += _check_pattern(f"{path}.pattern", schema["pattern"])
    if "$ref" in schema:
        found.append(causes.forbidden(f"{path}.$ref", "$ref is not supported"))
    if schema.get("x-kubernetes-list-type") == "map" and not schema.get("x-kubernetes-list-map-keys"):
        why = "must not be empty if x-kubernetes-list-type is map"
        found.append(causes.required(f"{path}.x-kubernetes-list-map-keys", why))
    for name, child in (schema.get("properties") or {}).items():
        found += _check_schema(child, f"{path}.properties[{name}]", is_structural=is_structural)
    for keyword in ("items", "additionalProperties"):
        found += _check_schema(schema.get(keyword), f"{path}.{keyword}", is_structural=is_structural)
    found += _check_schema(schema.get("not"), f"{path}.not", is_structural=False)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index, child in enumerate(schema.get(keyword) or []):
            found += _check_schema(child, f"{path}.{keyword}[{index}]", is_structural=False)
    return found


def _check_pattern(where: str, pattern: str) -> list[Cause]:
    try:
        nodes.compile_pattern(pattern)
    except re.error as error:
        return [causes.invalid(where, pattern, f"must be a valid regular expression: {error}")]
    return []


def _check_change(spec: JsonObject, old: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    if spec.get("scope") != old.get("scope"):
        found.append(causes.invalid("spec.scope", spec.get("scope"), "field is immutable"))
    if spec["names"].get("kind") != old["names"].get("kind"):
        found.append(causes.invalid("spec.names.kind", spec["names"].get("kind"), "field is immutable"))
    return found
