"""
ControllerRevisions: the history of the pod templates of a StatefulSet or DaemonSet.

Each holds one template as the patch that brings it back (`kubectl rollout undo` sends just that) and a number. A
template that was there before gets a higher number again: a rollback is a revision too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from bookmesh.base import hashes
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import actions, owners
from bookmesh.kube.controllers.resources import CONTROLLER_REVISIONS

HASH_LABEL: Final = "controller-revision-hash"


def owned_by(owner: JsonObject, revisions: Sequence[JsonObject]) -> list[JsonObject]:
    """The revisions of one owner, oldest number first."""
    found = [each for each in revisions if owners.is_controlled_by(each, owner)]
    return sorted(found, key=lambda each: (each["revision"], each["metadata"]["name"]))


def renew(
    owner: JsonObject, known: Sequence[JsonObject], reference: JsonObject
) -> tuple[str, actions.Actions]:
    """
    Make sure that the present template is the newest revision.

    Returns:
        Its name, and what is to be done for that.
    """
    same = next((each for each in reversed(known) if template_of(each) == owner["spec"]["template"]), None)
    last = known[-1]["revision"] if known else 0
    if same is None:
        created = _build(owner, last + 1, reference, taken={each["metadata"]["name"] for each in known})
        return created["metadata"]["name"], (actions.Create(CONTROLLER_REVISIONS, created),)
    name: str = same["metadata"]["name"]
    if same["revision"] == last:
        return name, ()
    return name, (actions.Update(CONTROLLER_REVISIONS, {**same, "revision": last + 1}),)


def template_of(revision: JsonObject) -> JsonObject:
    """The pod template that a revision holds."""
    template = revision["data"]["spec"]["template"]
    return {key: value for key, value in template.items() if key != "$patch"}


def template_named(known: Sequence[JsonObject], name: str) -> JsonObject | None:
    """The template of the revision of that name; None when there is none."""
    found = next((each for each in known if each["metadata"]["name"] == name), None)
    return template_of(found) if found is not None else None


def hash_of(name: str) -> str:
    """The value of the hash label of pods of the revision of that name."""
    return name.rpartition("-")[2]


def is_of(pod: JsonObject, name: str) -> bool:
    """Whether a pod was made from the revision of that name."""
    labels: dict[str, Any] = pod["metadata"].get("labels") or {}
    return labels.get(HASH_LABEL) in (name, hash_of(name))


def expired(owner: JsonObject, known: Sequence[JsonObject], used: Collection[str]) -> actions.Actions:
    """Delete the oldest revisions beyond `revisionHistoryLimit` that nothing uses."""
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    unused = [each for each in known if each["metadata"]["name"] not in used]
    return tuple(
        actions.delete_of(CONTROLLER_REVISIONS, each) for each in unused[: max(0, len(unused) - limit)]
    )


def _build(owner: JsonObject, number: int, reference: JsonObject, *, taken: Collection[str]) -> JsonObject:
    template, owner_name = owner["spec"]["template"], owner["metadata"]["name"]
    collisions = 0
    while True:
        digest = hashes.safe_hash(template, salt=str(collisions) if collisions else "")
        name = f"{owner_name}-{digest}"
        if name not in taken:
            break
        collisions += 1
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": owner["metadata"]["namespace"],
            "labels": labels,
            "ownerReferences": [reference],
        },
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": number,
    }
