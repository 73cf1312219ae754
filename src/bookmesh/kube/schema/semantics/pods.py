"""Pods and pod templates."""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause
from bookmesh.kube.schema.semantics import containers, ephemeral_containers
from bookmesh.kube.schema.semantics import volumes as volume_rules

_CHANGEABLE: Final = (
    "activeDeadlineSeconds",
    "ephemeralContainers",
    "terminationGracePeriodSeconds",
    "tolerations",
    "schedulingGates",
)
FIXED: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check_pod(pod: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = pod.get("spec")
    if spec is None:
        return [causes.required("spec")]
    if old is None:
        refused = ephemeral_containers.check_none(spec, "spec", "cannot be set on create")
        return refused + check_spec(spec, "spec")
    if _fixed_part(spec, old["spec"]) != _fixed_part(old["spec"], old["spec"]):
        return [causes.forbidden("spec", FIXED)]
    return check_spec(spec, "spec") + ephemeral_containers.check(spec, old["spec"])


def _fixed_part(spec: JsonObject, old: JsonObject) -> JsonObject:
    """
    Return what may not change: all but a few fields, images, and a node that is not chosen yet.

    Ephemeral containers have a subresource, and rules of their own.
    """
    kept = {key: value for key, value in spec.items() if key not in _CHANGEABLE}
    if not old.get("nodeName"):
        kept.pop("nodeName", None)
    for field in ("containers", "initContainers"):
        if field in kept:
            kept[field] = [{**container, "image": ""} for container in kept[field]]
    return kept


def check_spec(spec: JsonObject, where: str) -> list[Cause]:
    """Check a pod specification at path `where`."""
    found, volumes = _check_volumes(spec.get("volumes") or [], f"{where}.volumes")
    found += containers.check_all(spec, where, volumes)
    for field in ("terminationGracePeriodSeconds", "activeDeadlineSeconds"):
        if (spec.get(field) or 0) < 0:
            why = "must be greater than or equal to 0"
            found.append(causes.invalid(f"{where}.{field}", spec[field], why))
    for field, syntax in (
        ("serviceAccountName", names.dns_subdomain),
        ("nodeName", names.dns_subdomain),
        ("hostname", names.dns_label),
        ("subdomain", names.dns_label),
    ):
        if spec.get(field):
            found += names.check(f"{where}.{field}", spec[field], syntax)
    found += names.check_labels(f"{where}.nodeSelector", spec.get("nodeSelector"))
    return found


def _check_volumes(volumes: list[dict[str, Any]], where: str) -> tuple[list[Cause], set[str]]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        path, name = f"{where}[{index}]", volume.get("name") or ""
        if not name:
            found.append(causes.required(f"{path}.name"))
        elif name in seen:
            found.append(causes.duplicate(f"{path}.name", name))
        else:
            found += names.check(f"{path}.name", name, names.dns_label)
        seen.add(name)
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        for extra in sources[1:]:
            found.append(causes.forbidden(f"{path}.{extra}", "may not specify more than 1 volume type"))
        found += _check_source(volume, path)
    return found, seen


def _check_source(volume: JsonObject, path: str) -> list[Cause]:
    found: list[Cause] = []
    for kind, field in (
        ("secret", "secretName"),
        ("configMap", "name"),
        ("hostPath", "path"),
        ("csi", "driver"),
    ):
        source = volume.get(kind)
        if source is None:
            continue
        if not source.get(field):
            found.append(causes.required(f"{path}.{kind}.{field}"))
        for index, item in enumerate(source.get("items") or []):
            found += _check_item(item, f"{path}.{kind}.items[{index}]")
    if (ephemeral := volume.get("ephemeral")) is not None:
        where = f"{path}.ephemeral.volumeClaimTemplate"
        template = ephemeral.get("volumeClaimTemplate")
        if template is None:
            found.append(causes.required(where))
        else:
            found += volume_rules.check_claim_spec(template.get("spec") or {}, f"{where}.spec")
    return found


def _check_item(item: JsonObject, path: str) -> list[Cause]:
    found = [causes.required(f"{path}.{field}") for field in ("key", "path") if not item.get(field)]
    target = item.get("path") or ""
    if target.startswith("/"):
        found.append(causes.invalid(f"{path}.path", target, "must be a relative path"))
    elif ".." in target.split("/"):
        found.append(causes.invalid(f"{path}.path", target, "must not contain '..'"))
    return found
