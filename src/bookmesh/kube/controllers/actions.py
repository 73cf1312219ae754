"""
What a reconciler may ask for. Actions are data; `applying` carries them out, in order, and stops at the first failure.

Objects inside an action may share parts with what was seen, so nobody may change them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from bookmesh.base.kubernetes import JsonObject, PatchType, Resource


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object; with `generateName` and no name, a free name is picked while applying."""

    resource: Resource
    object: JsonObject
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Replace an object, on condition that its resourceVersion is still the one in `object`."""

    resource: Resource
    object: JsonObject
    subresource: str = ""
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """Change parts of an object; `version` "" makes it unconditional. A list in a merge patch replaces the list."""

    resource: Resource
    namespace: str
    name: str
    patch: JsonObject
    version: str = ""
    subresource: str = ""
    patch_type: PatchType = "merge"


@dataclass(frozen=True, slots=True)
class Delete:
    """Ask for deletion of the object with this uid; it is fine when that is gone already."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    grace_s: int | None = None
    propagation: Literal["Background", "Foreground", "Orphan"] | None = None
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """
    Tell people what happened to an object (`kubectl get events`, `kubectl describe`).

    As the `event` of another action it is told after that action succeeded, and `{name}` in its message is the
    name of the object that was written.
    """

    regarding: JsonObject
    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


@dataclass(frozen=True, slots=True)
class Requeue:
    """Look at this key again after some seconds, whatever happens."""

    after_s: float


Action: TypeAlias = Create | Update | Patch | Delete | Event | Requeue
Actions: TypeAlias = tuple[Action, ...]


def patch_status(resource: Resource, seen: JsonObject, status: JsonObject) -> tuple[Patch, ...]:
    """
    Build the patch that turns the status of `seen` into `status`.

    Returns:
        One conditional patch of the fields that differ (null for fields that go), or nothing when none does.
    """
    current = seen.get("status") or {}
    changes: JsonObject = {key: value for key, value in status.items() if current.get(key) != value}
    changes.update({key: None for key in current if key not in status})
    if not changes:
        return ()
    return (patch_of(resource, seen, {"status": changes}, subresource="status"),)


def patch_of(resource: Resource, seen: JsonObject, patch: JsonObject, *, subresource: str = "") -> Patch:
    """Build a merge patch of `seen`, on condition that it has not changed since."""
    metadata = seen["metadata"]
    return Patch(
        resource,
        metadata.get("namespace", ""),
        metadata["name"],
        patch,
        version=metadata.get("resourceVersion", ""),
        subresource=subresource,
    )


def delete_of(
    resource: Resource,
    seen: JsonObject,
    *,
    propagation: Literal["Background", "Foreground", "Orphan"] | None = None,
    event: Event | None = None,
) -> Delete:
    """Build the deletion of exactly this object, not of a later one by the same name."""
    metadata = seen["metadata"]
    return Delete(
        resource,
        metadata.get("namespace", ""),
        metadata["name"],
        metadata["uid"],
        propagation=propagation,
        event=event,
    )
