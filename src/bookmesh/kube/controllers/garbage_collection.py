"""
Deletes what nobody owns any more.

- Background: an object goes when all its owners are gone; with one left, only the dead references go.
- Foreground: an owner waits under the finalizer `foregroundDeletion` until the dependents that block it are gone.
- Orphan: an owner waits under the finalizer `orphan` until no dependent refers to it.

An owner counts as gone only when the server says so, not when a copy does not have it yet. An owner of a kind that
is not known, or in another namespace than a namespaced one may be, is left to judge to somebody who knows it; unless it
went before our eyes, with the definition of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, runner
from bookmesh.kube.controllers.resources import Served

NAME = "garbage-collector"
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class OwnerState(Enum):
    """What became of an owner."""

    THERE = "there"
    GOING = "going"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Dependent:
    """One object that refers to the object in question."""

    resource: Resource
    object: JsonObject


@dataclass(frozen=True, slots=True)
class Seen:
    """`resource` is the object's own; owners by uid (GOING: waits for its dependents); dependents in any order."""

    resource: Resource
    owners: Mapping[str, OwnerState] = field(default_factory=dict)
    dependents: tuple[Dependent, ...] = ()


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Take the next step for one object, as an owner that goes or as a dependent."""
    finalizers = desired["metadata"].get("finalizers") or ()
    if owners.is_being_deleted(desired):
        if ORPHAN in finalizers:
            return _orphan_dependents(desired, seen)
        if FOREGROUND in finalizers:
            return _delete_dependents(desired, seen)
        return ()
    return _follow_owners(desired, seen)


def _orphan_dependents(owner: JsonObject, seen: Seen) -> actions.Actions:
    uid = owner["metadata"]["uid"]
    releases = tuple(
        _without_owners(each.resource, each.object, {uid})
        for each in seen.dependents
        if not owners.is_being_deleted(each.object)
    )
    return (*releases, _without_finalizer(seen.resource, owner, ORPHAN))


def _delete_dependents(owner: JsonObject, seen: Seen) -> actions.Actions:
    deletions = tuple(
        actions.delete_of(each.resource, each.object, propagation="Foreground")
        for each in seen.dependents
        if not owners.is_being_deleted(each.object) and not _has_other_owner(each.object, owner)
    )
    if deletions:
        return deletions
    if any(_blocks(each.object, owner) for each in seen.dependents):
        return ()
    return (_without_finalizer(seen.resource, owner, FOREGROUND),)


def _has_other_owner(dependent: JsonObject, owner: JsonObject) -> bool:
    return any(each["uid"] != owner["metadata"]["uid"] for each in owners.references(dependent))


def _blocks(dependent: JsonObject, owner: JsonObject) -> bool:
    return any(
        each["uid"] == owner["metadata"]["uid"] and each.get("blockOwnerDeletion")
        for each in owners.references(dependent)
    )


def _follow_owners(dependent: JsonObject, seen: Seen) -> actions.Actions:
    states = {
        each["uid"]: seen.owners.get(each["uid"], OwnerState.THERE) for each in owners.references(dependent)
    }
    if not states:
        return ()
    if OwnerState.THERE in states.values():
        dead = {uid for uid, state in states.items() if state is not OwnerState.THERE}
        return (_without_owners(seen.resource, dependent, dead),) if dead else ()
    has_waiting_owner = OwnerState.GOING in states.values()
    if has_waiting_owner and seen.dependents:
        return (actions.delete_of(seen.resource, dependent, propagation="Foreground"),)
    return (actions.delete_of(seen.resource, dependent, propagation="Background"),)


def _without_owners(resource: Resource, obj: JsonObject, uids: set[str]) -> actions.Patch:
    left = [each for each in owners.references(obj) if each["uid"] not in uids]
    return actions.patch_of(resource, obj, {"metadata": {"ownerReferences": left}})


def _without_finalizer(resource: Resource, obj: JsonObject, finalizer: str) -> actions.Patch:
    left = [each for each in obj["metadata"]["finalizers"] if each != finalizer]
    return actions.patch_of(resource, obj, {"metadata": {"finalizers": left}})


def controller(*, served: Callable[[], Iterable[Served]]) -> runner.Controller:
    """Declare the controller; `served` tells what the server has now, custom resources included."""

    absent: set[str] = set()  # owners, by uid, that went while something depended on them

    async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
        kinds = {(each.resource.group, each.kind): each for each in served()}
        states: dict[str, OwnerState] = {}
        if not owners.is_being_deleted(desired):
            for reference in owners.references(desired):
                group = reference["apiVersion"].rpartition("/")[0]
                kind = kinds.get((group, reference["kind"]))
                if kind is not None and (key.namespace or not kind.is_namespaced):
                    states[reference["uid"]] = await _owner_state(reference, kind, key.namespace, view)
                elif kind is None and reference["uid"] in absent:
                    states[reference["uid"]] = OwnerState.GONE
        uid = desired["metadata"]["uid"]
        dependents = tuple(
            Dependent(informer.resource, obj)
            for informer in view.caches.all()
            for obj in informer.owned_by(uid)
        )
        return Seen(key.resource, states, dependents)

    def keys(change: informers.Change, source: Resource, caches: informers.Informers) -> Iterable[runner.Key]:
        uid = change.object["metadata"]["uid"]
        if change.type == "DELETED" and any(informer.owned_by(uid) for informer in caches.all()):
            absent.add(uid)
        return _concerned(change, source, caches, served())

    return runner.Controller(
        name=NAME,
        watches=(runner.Watch(None, keys),),
        observe=observe,
        reconcile=reconcile,
    )


async def _owner_state(reference: JsonObject, kind: Served, namespace: str, view: runner.View) -> OwnerState:
    place = namespace if kind.is_namespaced else ""
    informer = view.caches.known(kind.resource)
    owner = informer.get(place, reference["name"]) if informer is not None else None
    if owner is None or owner["metadata"]["uid"] != reference["uid"]:
        try:
            owner = await view.client.get(kind.resource, reference["name"], place)
        except ApiError as error:
            if error.code != 404:
                raise
            return OwnerState.GONE
    if owner["metadata"]["uid"] != reference["uid"]:
        return OwnerState.GONE
    is_going = owners.is_being_deleted(owner) and FOREGROUND in (owner["metadata"].get("finalizers") or ())
    return OwnerState.GOING if is_going else OwnerState.THERE


def _concerned(
    change: informers.Change, source: Resource, caches: informers.Informers, served: Iterable[Served]
) -> Iterable[runner.Key]:
    """Name the object itself where it owns or is owned, its dependents when it goes, its owners when they wait."""
    if (
        change.previous is not None
        and change.type == "MODIFIED"
        and not _is_news(change.previous, change.object)
    ):
        return
    obj = change.object
    is_gone, is_going = change.type == "DELETED", owners.is_being_deleted(obj)
    if not is_gone and (owners.references(obj) or is_going):
        yield runner.key_of(source, obj)
    if is_gone or is_going:
        for informer in caches.all():
            for dependent in informer.owned_by(obj["metadata"]["uid"]):
                yield runner.key_of(informer.resource, dependent)
    kinds = {(each.resource.group, each.kind): each for each in served}
    for reference in (*owners.references(obj), *owners.references(change.previous or obj)):
        kind = kinds.get((reference["apiVersion"].rpartition("/")[0], reference["kind"]))
        known = caches.known(kind.resource) if kind is not None else None
        if kind is None or known is None:
            continue
        owner = known.get(
            obj["metadata"].get("namespace", "") if kind.is_namespaced else "", reference["name"]
        )
        if owner is not None and owners.is_being_deleted(owner):
            yield runner.key_of(kind.resource, owner)


def _is_news(before: JsonObject, after: JsonObject) -> bool:
    """Tell whether a change touches ownership or deletion; most only touch a status."""
    return any(
        before["metadata"].get(field) != after["metadata"].get(field)
        for field in ("ownerReferences", "deletionTimestamp", "finalizers")
    )
