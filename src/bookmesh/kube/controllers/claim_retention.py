"""
Which claims of a StatefulSet go with it or with its pods (`persistentVolumeClaimRetentionPolicy`). Pure.

A claim goes when its owner does, so the policy is a matter of owner references: to the StatefulSet with `whenDeleted:
Delete`, to a pod that is not wanted any more with `whenScaled: Delete`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bookmesh.base.kubernetes import VOLUME_CLAIMS, JsonObject
from bookmesh.kube.controllers import actions, owners


def changes(
    stateful_set: JsonObject,
    claims: Mapping[int, list[JsonObject]],
    *,
    pods: Mapping[int, JsonObject],
    wanted: range,
) -> tuple[actions.Patch, ...]:
    """
    Bring the owners of claims in line with the policy.

    Args:
        claims: those that exist, by number; `pods` likewise.
        wanted: the numbers that shall have a pod.
    """
    found = []
    for ordinal, group in sorted(claims.items()):
        pod = pods.get(ordinal)
        for claim in group:
            references = _wanted_owners(stateful_set, claim, pod, is_condemned=ordinal not in wanted)
            if references != list(owners.references(claim)):
                patch = {"metadata": {"ownerReferences": references}}
                found.append(actions.patch_of(VOLUME_CLAIMS, claim, patch))
    return tuple(found)


def _wanted_owners(
    stateful_set: JsonObject, claim: JsonObject, pod: JsonObject | None, *, is_condemned: bool
) -> list[JsonObject]:
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    goes_with_pod = policy.get("whenScaled") == "Delete" and is_condemned
    if goes_with_pod and pod is None:
        return list(owners.references(claim))  # it has the owner already whose end the pod's end was
    own = {each["metadata"]["uid"] for each in (stateful_set, pod) if each is not None}
    kept = [each for each in owners.references(claim) if each["uid"] not in own]
    if goes_with_pod and pod is not None:
        return [*kept, owners.reference_to(pod, api_version="v1", kind="Pod")]
    if policy.get("whenDeleted") == "Delete":
        return [*kept, owners.reference_to(stateful_set, api_version="apps/v1", kind="StatefulSet")]
    return kept
