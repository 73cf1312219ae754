"""Metadata: the same for every kind but for the syntax of its name."""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, kinds, names
from bookmesh.kube.schema.causes import Cause

_ANNOTATIONS_BYTES: Final = 256 * 1024
# Groups whose names only have to fit into a path.
_PATH_SEGMENTS: Final = frozenset({"apiregistration.k8s.io", "rbac.authorization.k8s.io"})
_NAME_SYNTAX: Final[dict[str, names.Syntax]] = {
    "namespaces": names.dns_label,
    "services": names.dns_label,
}


def check(kind: kinds.Kind, obj: JsonObject) -> list[Cause]:
    metadata: JsonObject = obj.get("metadata") or {}
    return [
        *_check_name(kind, metadata),
        *names.check_labels("metadata.labels", metadata.get("labels")),
        *_check_annotations(metadata.get("annotations") or {}),
        *_check_finalizers(metadata.get("finalizers") or []),
        *_check_owners(metadata.get("ownerReferences") or []),
    ]


def check_update(obj: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check what may not change: an object that is being deleted gets no finalizer any more."""
    before = (old or {}).get("metadata") or {}
    if "deletionTimestamp" not in before:
        return []
    known = before.get("finalizers") or []
    added = [each for each in (obj.get("metadata") or {}).get("finalizers") or [] if each not in known]
    if not added:
        return []
    shown = ", ".join(causes.quoted(each) for each in sorted(added))
    why = (
        "no new finalizers can be added if the object is being deleted, "
        f"found new finalizers []string{{{shown}}}"
    )
    return [causes.forbidden("metadata.finalizers", why)]


def _check_name(kind: kinds.Kind, metadata: JsonObject) -> list[Cause]:
    name = metadata.get("name") or ""
    if not name:
        return [causes.required("metadata.name", "name or generateName is required")]
    if kind.group in _PATH_SEGMENTS:
        return names.check("metadata.name", name, names.path_segment)
    builtin_core = kind.group == "" and not kind.is_custom
    syntax = _NAME_SYNTAX.get(kind.plural, names.dns_subdomain) if builtin_core else names.dns_subdomain
    return names.check("metadata.name", name, syntax)


def _check_annotations(annotations: dict[str, str]) -> list[Cause]:
    found = [
        cause
        for key in annotations
        for cause in names.check("metadata.annotations", key, lambda text: names.qualified_name(text.lower()))
    ]
    if (
        sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
        > _ANNOTATIONS_BYTES
    ):
        found.append(causes.too_long("metadata.annotations", _ANNOTATIONS_BYTES))
    return found


def _check_finalizers(finalizers: list[str]) -> list[Cause]:
    return [
        cause
        for each in finalizers
        for cause in names.check("metadata.finalizers", each, names.qualified_name)
    ]


def _check_owners(owners: list[dict[str, Any]]) -> list[Cause]:
    found: list[Cause] = []
    for index, owner in enumerate(owners):
        where = f"metadata.ownerReferences[{index}]"
        found += [
            causes.invalid(f"{where}.{field}", owner.get(field, ""), f"{field} must not be empty")
            for field in ("apiVersion", "kind", "name", "uid")
            if not owner.get(field)
        ]
    if sum(bool(owner.get("controller")) for owner in owners) > 1:
        why = "only one reference can have controller set to true"
        found.append(causes.invalid("metadata.ownerReferences", owners, why))
    return found
