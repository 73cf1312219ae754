"""Ephemeral containers: they join a pod that is there already, each for good, and have little of what others have."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause

_WHERE: Final = "spec.ephemeralContainers"
_NOT_THEIRS: Final = (
    *("lifecycle", "livenessProbe", "ports", "readinessProbe", "resizePolicy", "resources"),
    *("restartPolicy", "startupProbe"),
)


def check(spec: JsonObject, old: JsonObject) -> list[Cause]:
    """Check those of a pod specification, and that none of the old one's is gone or has changed."""
    found: list[Cause] = []
    seen = {each.get("name") for field in ("initContainers", "containers") for each in spec.get(field) or []}
    for index, container in enumerate(spec.get("ephemeralContainers") or []):
        path = f"{_WHERE}[{index}]"
        found += _check_one(container, path, seen)
        target = container.get("targetContainerName")
        if target and target not in {each.get("name") for each in spec.get("containers") or []}:
            found.append(causes.missing(f"{path}.targetContainerName", target))
    return found + _check_kept(spec, old)


def check_none(spec: JsonObject, where: str, why: str) -> list[Cause]:
    """Refuse them where a pod is not there yet."""
    return [causes.forbidden(f"{where}.ephemeralContainers", why)] if spec.get("ephemeralContainers") else []


def _check_one(container: JsonObject, path: str, seen: set[str | None]) -> list[Cause]:
    name = container.get("name") or ""
    if not name:
        found = [causes.required(f"{path}.name")]
    elif name in seen:
        found = [causes.duplicate(f"{path}.name", name)]
    else:
        found = names.check(f"{path}.name", name, names.dns_label)
    seen.add(name)
    if not container.get("image"):
        found.append(causes.required(f"{path}.image"))
    why = "cannot be set for an Ephemeral Container"
    found += [causes.forbidden(f"{path}.{field}", why) for field in _NOT_THEIRS if container.get(field)]
    for index, mount in enumerate(container.get("volumeMounts") or []):
        found += [
            causes.forbidden(f"{path}.volumeMounts[{index}].{field}", why)
            for field in ("subPath", "subPathExpr")
            if mount.get(field)
        ]
    return found


def _check_kept(spec: JsonObject, old: JsonObject) -> list[Cause]:
    now = {each.get("name"): each for each in spec.get("ephemeralContainers") or []}
    found = []
    for before in old.get("ephemeralContainers") or []:
        name = causes.quoted(before["name"])
        if before["name"] not in now:
            found.append(causes.forbidden(_WHERE, f"existing ephemeral containers {name} may not be removed"))
        elif now[before["name"]] != before:
            found.append(causes.forbidden(_WHERE, f"existing ephemeral containers {name} may not be changed"))
    return found
