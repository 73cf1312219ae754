"""
The parts of an object: what a subresource owns of it, and what a write of the whole object leaves alone.

A `Scale` is no part: it is a view of several fields (`scaling`).
"""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.kube.api import statuses
from bookmesh.kube.schema import kinds

WRITTEN: Final = frozenset({"approval", "ephemeralcontainers", "finalize", "scale", "status"})
"""The subresources through which an object is changed."""


def has_status(kind: kinds.Kind) -> bool:
    """Whether the status has a subresource of its own, through which alone it is written."""
    return "status" in kind.subresources


def drop_status(kind: kinds.Kind, obj: JsonObject) -> None:
    """A status is not accepted on create where it is a subresource, except for what registers itself with one."""
    if has_status(kind) and (kind.group, kind.plural) != ("", "nodes"):
        obj.pop("status", None)


def keep_status(obj: JsonObject, old: JsonObject) -> None:
    """Undo what a write of the whole object says of the status."""
    if "status" in old:
        obj["status"] = old["status"]
    else:
        obj.pop("status", None)


def with_part(old: JsonObject, obj: JsonObject, subresource: str) -> JsonObject:
    """The stored object with just the part replaced that a subresource owns."""
    result = copy_json(old)
    if subresource == "status":
        if "status" in obj:
            result["status"] = obj["status"]
        else:
            result.pop("status", None)
    elif subresource == "approval":
        conditions = (obj.get("status") or {}).get("conditions") or []
        result["status"] = {**(old.get("status") or {}), "conditions": conditions}
    elif subresource == "ephemeralcontainers":
        wanted = (obj.get("spec") or {}).get("ephemeralContainers") or []
        if wanted or "ephemeralContainers" in old["spec"]:
            result["spec"]["ephemeralContainers"] = wanted
    elif subresource == "finalize":
        finalizers = (obj.get("spec") or {}).get("finalizers") or []
        result["spec"] = {"finalizers": finalizers} if finalizers else {}
    else:
        raise statuses.no_such_resource()
    return result
