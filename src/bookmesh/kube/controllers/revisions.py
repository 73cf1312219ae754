"""The ReplicaSets of a Deployment as its history: which is the new one, revision numbers, what to throw away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.base import hashes
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import owners, rollout_limits

HASH_LABEL: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"
REVISION_HISTORY: Final = "deployment.kubernetes.io/revision-history"
DESIRED: Final = "deployment.kubernetes.io/desired-replicas"
MOST: Final = "deployment.kubernetes.io/max-replicas"
_NOT_INHERITED: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        DESIRED,
        MOST,
        "deprecated.deployment.rollback.to",
    }
)


@dataclass(frozen=True, slots=True)
class History:
    """ReplicaSets of one Deployment. `new` has the present template, if any has; `old` are the others, oldest first."""

    new: JsonObject | None
    old: tuple[JsonObject, ...]

    @property
    def all(self) -> tuple[JsonObject, ...]:
        return self.old if self.new is None else (*self.old, self.new)

    @property
    def active_old(self) -> tuple[JsonObject, ...]:
        """Old ones that are told to keep pods."""
        return tuple(each for each in self.old if rollout_limits.wanted(each) > 0)


def history_of(deployment: JsonObject, owned: Sequence[JsonObject]) -> History:
    """Sort the owned ReplicaSets out; of several with the present template the oldest is the new one."""
    by_age = sorted(owned, key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]))
    new = next((each for each in by_age if has_template_of(each, deployment)), None)
    return History(new, tuple(each for each in by_age if each is not new))


def has_template_of(replica_set: JsonObject, deployment: JsonObject) -> bool:
    """Compare the pod templates, leaving the hash label out."""
    return _bare(replica_set["spec"]["template"]) == _bare(deployment["spec"]["template"])


def _bare(template: JsonObject) -> JsonObject:
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def revision_of(replica_set: JsonObject) -> int:
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdecimal() else 0


def next_revision(history: History) -> int:
    """Number the new ReplicaSet: one more than the newest old one, so that a rollback is a revision too."""
    return max((revision_of(each) for each in history.old), default=0) + 1


def name_for(deployment: JsonObject) -> tuple[str, str]:
    """
    Name the ReplicaSet of the present template.

    Returns:
        Its name and the template's hash, which is also its label; after a collision both are different.
    """
    collisions = (deployment.get("status") or {}).get("collisionCount", 0)
    salt = str(collisions) if collisions else ""
    template_hash = hashes.safe_hash(deployment["spec"]["template"], salt=salt)
    return f"{deployment['metadata']['name']}-{template_hash}", template_hash


def build(deployment: JsonObject, *, replicas: int, revision: int) -> JsonObject:
    """Build the ReplicaSet of the present template."""
    name, template_hash = name_for(deployment)
    spec = deployment["spec"]
    template = spec["template"]
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: template_hash}
    selector = spec["selector"]
    match_labels = {**(selector.get("matchLabels") or {}), HASH_LABEL: template_hash}
    replica_set_spec: JsonObject = {
        "replicas": replicas,
        "selector": {**selector, "matchLabels": match_labels},
        "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
    }
    if spec.get("minReadySeconds"):
        replica_set_spec["minReadySeconds"] = spec["minReadySeconds"]
    reference = owners.reference_to(deployment, api_version="apps/v1", kind="Deployment")
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
            "annotations": {
                **_inherited(deployment),
                **sizes(deployment),
                REVISION: str(revision),
            },
            "ownerReferences": [reference],
        },
        "spec": replica_set_spec,
    }


def sizes(deployment: JsonObject) -> Mapping[str, str]:
    """Annotations that tell later how large the Deployment was when a ReplicaSet was sized."""
    limits = rollout_limits.limits_of(deployment)
    return {DESIRED: str(limits.replicas), MOST: str(limits.most)}


def resized(replica_set: JsonObject, deployment: JsonObject, replicas: int) -> JsonObject:
    """Copy a ReplicaSet with another number of replicas."""
    metadata = replica_set["metadata"]
    annotations = {**(metadata.get("annotations") or {}), **sizes(deployment)}
    return {
        **replica_set,
        "metadata": {**metadata, "annotations": annotations},
        "spec": {**replica_set["spec"], "replicas": replicas},
    }


def renewed(replica_set: JsonObject, deployment: JsonObject, revision: int) -> JsonObject:
    """Copy the new ReplicaSet with what it takes over from its Deployment; equal to it when that is nothing."""
    metadata, spec = replica_set["metadata"], replica_set["spec"]
    before = metadata.get("annotations") or {}
    annotations = {**before, **_inherited(deployment)}
    if revision_of(replica_set) < revision:
        annotations[REVISION] = str(revision)
        if REVISION in before:
            past = before.get(REVISION_HISTORY)
            annotations[REVISION_HISTORY] = f"{past},{before[REVISION]}" if past else before[REVISION]
    min_ready_s = deployment["spec"].get("minReadySeconds", 0)
    if spec.get("minReadySeconds", 0) != min_ready_s:
        spec = {**spec, "minReadySeconds": min_ready_s}
    if annotations == before and spec is replica_set["spec"]:
        return replica_set
    return {**replica_set, "metadata": {**metadata, "annotations": annotations}, "spec": spec}


def expired(deployment: JsonObject, history: History) -> tuple[JsonObject, ...]:
    """Pick the old ReplicaSets beyond `revisionHistoryLimit` that are empty for sure, oldest revision first."""
    limit: int = deployment["spec"].get("revisionHistoryLimit", 10)
    surplus = len(history.old) - limit
    empty = [
        each
        for each in history.old
        if rollout_limits.most_pods(each) == 0
        and rollout_limits.is_settled(each)
        and not owners.is_being_deleted(each)
    ]
    return tuple(sorted(empty, key=revision_of)[: max(0, surplus)])


def _inherited(deployment: JsonObject) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in _NOT_INHERITED}
