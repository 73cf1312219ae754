"""APIServices: a version of a group, its place among others, and how the server behind it is trusted."""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause

_STATUSES: Final = ("False", "True", "Unknown")
_PRIORITIES: Final = (("groupPriorityMinimum", 20_000), ("versionPriority", 1000))


def check_service(registered: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec: JsonObject = registered.get("spec") or {}
    group, version = spec.get("group") or "", spec.get("version") or ""
    found: list[Cause] = []
    name, wanted = registered["metadata"].get("name", ""), f"{version}.{group}"
    if name != wanted:
        why = f'must be `spec.version+"."+spec.group`: {causes.quoted(wanted)}'
        found.append(causes.invalid("metadata.name", name, why))
    if group:
        found += names.check("spec.group", group, names.dns_subdomain)
    elif version != "v1":
        why = "only v1 may have an empty group and it better be legacy kube"
        found.append(causes.required("spec.group", why))
    found += names.check("spec.version", version, names.dns_label_1035)
    for field, largest in _PRIORITIES:
        value = spec.get(field) or 0
        if not 0 < value <= largest:
            why = f"must be positive and less than {largest}"
            found.append(causes.invalid(f"spec.{field}", value, why))
    found += _check_local(spec) if spec.get("service") is None else _check_remote(spec, spec["service"])
    for index, condition in enumerate((registered.get("status") or {}).get("conditions") or []):
        if condition["status"] not in _STATUSES:
            where = f"status.conditions[{index}].status"
            found.append(causes.not_supported(where, condition["status"], _STATUSES))
    return found


def _check_local(spec: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    if bundle := spec.get("caBundle"):
        why = "local APIServices may not have a caBundle"
        found.append(causes.invalid("spec.caBundle", f"{len(bundle) * 3 // 4} bytes", why))
    if spec.get("insecureSkipTLSVerify"):
        why = "local APIServices may not have insecureSkipTLSVerify"
        found.append(causes.invalid("spec.insecureSkipTLSVerify", True, why))
    return found


def _check_remote(spec: JsonObject, service: dict[str, Any]) -> list[Cause]:
    found = [
        causes.required(f"spec.service.{field}") for field in ("namespace", "name") if not service.get(field)
    ]
    if wrong := names.port_number(service["port"]):
        found.append(causes.invalid("spec.service.port", service["port"], f"port is not valid: {wrong}"))
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        why = "may not be true if caBundle is present"
        found.append(causes.invalid("spec.insecureSkipTLSVerify", True, why))
    return found
