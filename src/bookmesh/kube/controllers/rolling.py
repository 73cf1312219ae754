"""
The next step of a rolling update: sizes for new and old ReplicaSets that keep the limits at every moment.

Stricter than counting what was asked for: pods that a ReplicaSet still has count against the surge, and a step is
taken only when every ReplicaSet has reported on the size it has now. Until then there may be pods nobody counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import revisions, rollout_limits
from bookmesh.kube.controllers.rollout_limits import Limits

Sizes = Mapping[str, int]


def size_of_new(history: revisions.History, limits: Limits) -> int:
    """Size the new ReplicaSet as large as the surge allows, counting pods that are still to go."""
    current = rollout_limits.wanted(history.new) if history.new is not None else 0
    if current >= limits.replicas:
        return limits.replicas
    if not all(rollout_limits.is_settled(each) for each in history.all):
        return current
    room = limits.most - sum(rollout_limits.most_pods(each) for each in history.all)
    return current + max(0, min(room, limits.replicas - current))


def sizes_of_old(history: revisions.History, limits: Limits) -> Sizes:
    """
    Size the old ReplicaSets as small as availability allows: first what is not available anyway, then the oldest.

    Returns:
        Name -> replicas for those that change.
    """
    if history.new is None or not all(rollout_limits.is_settled(each) for each in history.all):
        return {}
    unavailable_new = rollout_limits.wanted(history.new) - rollout_limits.sure_available(history.new)
    spare = (
        sum(rollout_limits.wanted(each) for each in history.all) - limits.fewest_available - unavailable_new
    )
    sizes = {each["metadata"]["name"]: rollout_limits.wanted(each) for each in history.active_old}
    for each in history.active_old:
        cut = max(0, min(spare, rollout_limits.wanted(each) - rollout_limits.sure_available(each)))
        sizes[each["metadata"]["name"]] -= cut
        spare -= cut
    surplus = sum(rollout_limits.sure_available(each) for each in history.all) - limits.fewest_available
    for each in history.active_old:
        cut = max(0, min(spare, surplus, sizes[each["metadata"]["name"]]))
        sizes[each["metadata"]["name"]] -= cut
        spare -= cut
        surplus -= cut
    before = {each["metadata"]["name"]: rollout_limits.wanted(each) for each in history.active_old}
    return {name: size for name, size in sizes.items() if size != before[name]}


def is_rescaled(deployment: JsonObject, history: revisions.History) -> bool:
    """Tell whether `replicas` changed since the ReplicaSets that have pods were sized."""
    desired = str(deployment["spec"].get("replicas", 1))
    return any(
        (each["metadata"].get("annotations") or {}).get(revisions.DESIRED, desired) != desired
        for each in history.all
        if rollout_limits.wanted(each) > 0
    )


def sizes_when_rescaled(deployment: JsonObject, history: revisions.History, limits: Limits) -> Sizes:
    """
    Spread a new number of replicas: all to the only one with pods; in the middle of a rollout in proportion.

    Returns:
        Name -> replicas for every ReplicaSet whose size or record of it has to be written.
    """
    active = [each for each in history.all if rollout_limits.wanted(each) > 0]
    if len(active) <= 1:
        sole = active[0] if active else (history.new or (history.old[-1] if history.old else None))
        return {} if sole is None else {sole["metadata"]["name"]: limits.replicas}
    if history.new is not None and _is_saturated(history.new, limits):
        return {each["metadata"]["name"]: 0 for each in history.active_old}
    if (deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") != "RollingUpdate":
        return {}
    return _in_proportion(deployment, active, limits)


def _is_saturated(new: JsonObject, limits: Limits) -> bool:
    desired = (new["metadata"].get("annotations") or {}).get(revisions.DESIRED)
    return (
        rollout_limits.wanted(new) == limits.replicas
        and desired == str(limits.replicas)
        and rollout_limits.sure_available(new) == limits.replicas
    )


def _in_proportion(deployment: JsonObject, active: list[JsonObject], limits: Limits) -> Sizes:
    """Largest first; of equals the newest when growing, the oldest when shrinking. The first also takes the rest."""
    most = limits.most if limits.replicas > 0 else 0
    to_add = most - sum(rollout_limits.wanted(each) for each in active)
    ranked = list(enumerate(active))
    ranked.sort(key=lambda item: (-rollout_limits.wanted(item[1]), -item[0] if to_add > 0 else item[0]))
    sizes: dict[str, int] = {}
    added = 0
    for _, each in ranked:
        share = _share(deployment, each, limits) if to_add else 0
        left = to_add - added
        share = min(share, left) if to_add > 0 else max(share, left)
        sizes[each["metadata"]["name"]] = rollout_limits.wanted(each) + share
        added += share
    first = ranked[0][1]["metadata"]["name"]
    sizes[first] = max(0, sizes[first] + to_add - added)
    return sizes


def _share(deployment: JsonObject, replica_set: JsonObject, limits: Limits) -> int:
    """Work out how many pods one ReplicaSet gains (loses, when negative) to keep its part of the whole."""
    current = rollout_limits.wanted(replica_set)
    if limits.replicas == 0:
        return -current
    text = (replica_set["metadata"].get("annotations") or {}).get(revisions.MOST, "")
    before = int(text) if text.isdecimal() else 0
    before = before or (deployment.get("status") or {}).get("replicas", 0)
    if before == 0:
        return 0
    return (2 * current * limits.most + before) // (2 * before) - current
