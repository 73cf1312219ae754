"""Ownership: who controls an object, and taking over or letting go of objects by selector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.controllers import actions, selectors


@dataclass(frozen=True, slots=True)
class Claim:
    """Outcome of `claim`. With `changes`, carry those out and look again before deciding anything else."""

    owned: tuple[JsonObject, ...]
    changes: tuple[actions.Patch, ...]


def references(obj: JsonObject) -> Sequence[JsonObject]:
    found: Sequence[JsonObject] = obj["metadata"].get("ownerReferences") or ()
    return found


def controller_reference(obj: JsonObject) -> JsonObject | None:
    """Find the one owner reference with `controller: true`."""
    return next((reference for reference in references(obj) if reference.get("controller")), None)


def reference_to(owner: JsonObject, *, api_version: str, kind: str) -> JsonObject:
    """Build the owner reference of a controller to what it makes."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_controlled_by(obj: JsonObject, owner: JsonObject) -> bool:
    reference = controller_reference(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def is_being_deleted(obj: JsonObject) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def claim(
    owner: JsonObject,
    candidates: Sequence[JsonObject],
    *,
    resource: Resource,
    reference: JsonObject,
) -> Claim:
    """
    Sort candidates of the owner's namespace by its `spec.selector`.

    An orphan that matches is adopted, an owned one that no longer matches is released; objects of other controllers
    and objects on their way out are left alone. `resource` is what the candidates are.
    """
    selector = owner["spec"].get("selector")
    owned: list[JsonObject] = []
    changes: list[actions.Patch] = []
    for candidate in candidates:
        is_match = selectors.matches(selector, selectors.labels_of(candidate))
        if is_controlled_by(candidate, owner):
            if is_match or is_being_deleted(owner):
                owned.append(candidate)
            else:
                rest = [each for each in references(candidate) if each["uid"] != reference["uid"]]
                changes.append(_owned_by(resource, candidate, rest))
        elif (
            is_match
            and controller_reference(candidate) is None
            and not is_being_deleted(owner)
            and not is_being_deleted(candidate)
        ):
            changes.append(_owned_by(resource, candidate, [*references(candidate), reference]))
    return Claim(tuple(owned), tuple(changes))


def _owned_by(resource: Resource, obj: JsonObject, owner_references: list[JsonObject]) -> actions.Patch:
    return actions.patch_of(resource, obj, {"metadata": {"ownerReferences": owner_references}})
