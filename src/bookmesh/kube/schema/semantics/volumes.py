"""Persistent volumes, claims and storage classes."""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import amounts, causes, names
from bookmesh.kube.schema.causes import Cause

_ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES: Final = ("Block", "Filesystem")
_RECLAIM_POLICIES: Final = ("Delete", "Recycle", "Retain")
_BINDING_MODES: Final = ("Immediate", "WaitForFirstConsumer")
_HOST_PATH_TYPES: Final = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
NO_SOURCES: Final = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)
"""Fields of a volume's specification that are not where its contents are."""
_FIXED_CLAIM: Final = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def check_volume(volume: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a PersistentVolume; where its contents are may not change."""
    spec = volume.get("spec") or {}
    found = _check_access_modes(spec)
    capacity = spec.get("capacity") or {}
    if not capacity:
        found.append(causes.required("spec.capacity"))
    elif "storage" not in capacity or len(capacity) > 1:
        found.append(causes.not_supported("spec.capacity", capacity, ["storage"]))
    else:
        found += _check_positive("spec.capacity[storage]", capacity["storage"])
    found += _check_sources(spec)
    found += _check_choice("spec.persistentVolumeReclaimPolicy", spec, _RECLAIM_POLICIES)
    found += _check_choice("spec.volumeMode", spec, _VOLUME_MODES)
    found += _check_class_name(spec)
    if old is not None:
        before = old["spec"]
        if sources_of(spec) != sources_of(before):
            why = "spec.persistentvolumesource is immutable after creation"
            found.append(causes.forbidden("spec.persistentvolumesource", why))
        if spec.get("volumeMode") != before.get("volumeMode"):
            found.append(causes.invalid("spec.volumeMode", spec.get("volumeMode"), "field is immutable"))
    return found


def sources_of(spec: JsonObject) -> JsonObject:
    """What of a volume's specification says where its contents are."""
    return {key: value for key, value in spec.items() if key not in NO_SOURCES and value is not None}


def _check_sources(spec: JsonObject) -> list[Cause]:
    sources = list(sources_of(spec))
    if not sources:
        return [causes.required("spec", "must specify a volume type")]
    found = [
        causes.forbidden(f"spec.{extra}", "may not specify more than 1 volume type") for extra in sources[1:]
    ]
    if (source := spec.get("hostPath")) is not None:
        found += _check_path("spec.hostPath", source)
        if source.get("type", "") not in _HOST_PATH_TYPES:
            found.append(causes.not_supported("spec.hostPath.type", source["type"], _HOST_PATH_TYPES))
        if source.get("path") == "/" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
            why = "may not be 'recycle' for a hostPath mount of '/'"
            found.append(causes.forbidden("spec.persistentVolumeReclaimPolicy", why))
    if (source := spec.get("local")) is not None:
        found += _check_path("spec.local", source)
        if not (spec.get("nodeAffinity") or {}).get("required"):
            found.append(causes.required("spec.nodeAffinity", "Local volume requires node affinity"))
    return found


def _check_path(where: str, source: JsonObject) -> list[Cause]:
    path = source.get("path") or ""
    if not path:
        return [causes.required(f"{where}.path")]
    if ".." in path.split("/"):
        return [causes.invalid(f"{where}.path", path, "must not contain '..'")]
    return []


def check_claim(claim: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a PersistentVolumeClaim; a bound one may only grow."""
    spec = claim.get("spec") or {}
    found = check_claim_spec(spec, "spec")
    if old is None:
        return found
    before = old["spec"]
    is_bound = (old.get("status") or {}).get("phase") == "Bound"
    if _fixed_part(spec, before, is_bound=is_bound) != _fixed_part(before, before, is_bound=is_bound):
        found.append(causes.forbidden("spec", _FIXED_CLAIM))
    elif is_bound and _size(spec).value < _size(before).value:
        has = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
        if _size(spec).value < amounts.parse(has).value:
            where, why = "spec.resources.requests.storage", "field can not be less than status.capacity"
            found.append(causes.forbidden(where, why))
    return found


def check_claim_spec(spec: JsonObject, where: str) -> list[Cause]:
    """Check what a claim, or a template of claims, asks for."""
    found = _check_access_modes(spec, where, why="at least 1 access mode is required")
    requests = (spec.get("resources") or {}).get("requests") or {}
    if "storage" in requests:
        found += _check_positive(f"{where}.resources[storage]", requests["storage"])
    else:
        found.append(causes.required(f"{where}.resources[storage]"))
    found += _check_choice(f"{where}.volumeMode", spec, _VOLUME_MODES)
    return [*found, *_check_class_name(spec, where)]


def _fixed_part(spec: JsonObject, before: JsonObject, *, is_bound: bool) -> JsonObject:
    """What may not change: a volume and a class may be given to a claim that has none."""
    kept = {key: value for key, value in spec.items() if value is not None}
    if not before.get("volumeName"):
        kept.pop("volumeName", None)
    if before.get("storageClassName") is None:
        kept.pop("storageClassName", None)
    if is_bound:
        kept.pop("volumeAttributesClassName", None)
        kept["resources"] = {key: each for key, each in spec["resources"].items() if key != "requests"}
    return kept


def check_class(storage_class: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check a StorageClass; little of it may change, since volumes were made by it."""
    provisioner = storage_class.get("provisioner") or ""
    found = [] if provisioner else [causes.required("provisioner")]
    if provisioner:
        found += names.check("provisioner", provisioner.lower(), names.qualified_name)
    found += _check_choice("reclaimPolicy", storage_class, ("Delete", "Retain"))
    found += _check_choice("volumeBindingMode", storage_class, _BINDING_MODES)
    if old is not None:
        for field in ("parameters", "provisioner", "reclaimPolicy"):
            if (storage_class.get(field) or None) != (old.get(field) or None):
                found.append(causes.forbidden(field, f"updates to {field} are forbidden."))
        mode = storage_class.get("volumeBindingMode")
        if mode != old.get("volumeBindingMode"):
            found.append(causes.invalid("volumeBindingMode", mode, "field is immutable"))
    return found


def _check_access_modes(spec: JsonObject, where: str = "spec", *, why: str = "") -> list[Cause]:
    modes = spec.get("accessModes") or []
    if not modes:
        return [causes.required(f"{where}.accessModes", why)]
    found = [
        causes.not_supported(f"{where}.accessModes", mode, _ACCESS_MODES)
        for mode in modes
        if mode not in _ACCESS_MODES
    ]
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        found.append(causes.forbidden(f"{where}.accessModes", why))
    return found


def _check_positive(where: str, quantity: Any) -> list[Cause]:
    if amounts.parse(quantity).value > 0:
        return []
    return [causes.invalid(where, str(quantity), "must be greater than zero")]


def _check_choice(path: str, holder: JsonObject, choices: tuple[str, ...]) -> list[Cause]:
    value = holder.get(path.rpartition(".")[2])
    return [] if value is None or value in choices else [causes.not_supported(path, value, choices)]


def _check_class_name(spec: JsonObject, where: str = "spec") -> list[Cause]:
    name = spec.get("storageClassName")
    return names.check(f"{where}.storageClassName", name, names.dns_subdomain) if name else []


def _size(spec: JsonObject) -> amounts.Amount:
    return amounts.parse(((spec.get("resources") or {}).get("requests") or {}).get("storage", 0))
