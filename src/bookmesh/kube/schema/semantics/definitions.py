"""CustomResourceDefinitions: names, versions, and schemas that can be used."""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.semantics import structural_schemas

_SELECTABLE: Final = ("boolean", "integer", "string")
_MOST_SELECTABLE: Final = 8


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
    good: list[Any] = []  # versions often have the very same schema
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
        elif schema not in good:
            wrong = structural_schemas.check_schema(schema, path, is_root=True)
            if schema.get("type") != "object":
                why = "must be object at the root"
                wrong.insert(0, causes.invalid(f"{path}.type", schema.get("type", ""), why))
            found += wrong
            good += [] if wrong else [schema]
        found += _check_selectable(f"{where}.selectableFields", version, schema or {})
    if sum(bool(version.get("storage")) for version in versions) != 1:
        why = "must have exactly one version marked as storage version"
        found.append(causes.invalid("spec.versions", [version.get("name") for version in versions], why))
    return found


def _check_selectable(where: str, version: dict[str, Any], schema: dict[str, Any]) -> list[Cause]:
    """Fields to select by are texts, whole numbers or flags that the schema names."""
    fields = version.get("selectableFields") or []
    if len(fields) > _MOST_SELECTABLE:
        return [causes.too_many(where, len(fields), _MOST_SELECTABLE)]
    found: list[Cause] = []
    seen: set[str] = set()
    for index, field in enumerate(fields):
        place, path = f"{where}[{index}].jsonPath", field.get("jsonPath") or ""
        node: Any = schema
        for name in path.removeprefix(".").split("."):
            node = ((node or {}).get("properties") or {}).get(name)
        if not path:
            found.append(causes.required(place))
        elif node is None or not path.startswith("."):
            found.append(causes.invalid(place, path, "is an invalid path: does not refer to a valid field"))
        elif node.get("type") not in _SELECTABLE:
            why = "must point to a field of type string, boolean or integer"
            found.append(causes.invalid(place, path, why))
        if path in seen:
            found.append(causes.duplicate(place, path))
        seen.add(path)
    return found


def _check_change(spec: JsonObject, old: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    if spec.get("scope") != old.get("scope"):
        found.append(causes.invalid("spec.scope", spec.get("scope"), "field is immutable"))
    if spec["names"].get("kind") != old["names"].get("kind"):
        found.append(causes.invalid("spec.names.kind", spec["names"].get("kind"), "field is immutable"))
    return found
