"""
Whether a requirement is satisfied by what a release really serves, and if not, why not.

The rule: every ready pod that gets traffic serves a version of the contract that is in the range, there is at least
one, and no Deployment whose pods get traffic is in the middle of an update. So a rolling update from a version that
does not satisfy to one that does counts only when the last old pod is gone: until then callers get a mix of answers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bookmesh.release import ranges
from bookmesh.release.contracts import Requirement
from bookmesh.release.serving import Backend, Rollout, Serving


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` says what is there, for people, whether it satisfies or not."""

    is_satisfied: bool
    reason: str


def judge(requirement: Requirement, serving: Serving) -> Verdict:
    """Judge one requirement; `serving` is the view of the release it names."""
    name = requirement.release.name
    if not serving.rollouts and not serving.backends:
        return Verdict(False, f"there is no release {name} in namespace {requirement.release.namespace}")
    for rollout in serving.rollouts:
        if not serving.is_routed(rollout.track):
            continue
        if not rollout.is_observed:
            return Verdict(False, f"deployment {rollout.deployment} has changed and is not observed yet")
        if _is_rolling(rollout):
            return Verdict(False, _describe_rollout(rollout))
    ready = [one for one in serving.backends if one.is_ready and serving.is_routed(one.track)]
    if not ready:
        return Verdict(False, f"no ready pod of {name} gets traffic")
    for backend in ready:
        if not _satisfies(requirement, backend):
            return Verdict(False, f"{_describe(requirement, backend)}, and gets traffic")
    served = sorted({backend.provides[requirement.contract] for backend in ready})
    versions = ", ".join(ranges.render_version(version) for version in served)
    return Verdict(True, f"{len(ready)} ready pods serve {requirement.contract} {versions}")


def unfinished(serving: Serving, *, deployments: Collection[str] | None = None) -> str:
    """
    Why a release is not all there yet; empty when every Deployment is updated and all its pods are ready.

    With `deployments`, only those are looked at, and each has to be there.
    """
    rollouts = {rollout.deployment: rollout for rollout in serving.rollouts}
    for name in sorted(deployments if deployments is not None else rollouts):
        rollout = rollouts.get(name)
        if rollout is None or not rollout.is_observed:
            return f"deployment {name} has changed and is not observed yet"
        if _is_rolling(rollout):
            return _describe_rollout(rollout)
        ready = sum(one.is_ready for one in serving.backends if one.track == rollout.track)
        if ready < rollout.wanted:
            return f"deployment {name}: {ready} of {rollout.wanted} pods are ready"
    return ""


def troubles(serving: Serving) -> str:
    """What keeps pods from being ready, each with its name; empty when nothing is known to."""
    return "; ".join(f"pod {one.pod}: {one.trouble}" for one in serving.backends if one.trouble)


def _is_rolling(rollout: Rollout) -> bool:
    return rollout.updated < rollout.wanted or rollout.replicas > rollout.updated


def _describe_rollout(rollout: Rollout) -> str:
    old = max(0, rollout.replicas - rollout.updated)
    return (
        f"deployment {rollout.deployment} is being updated: {rollout.updated} of {rollout.wanted} pods are new, "
        f"{old} old ones are left"
    )


def _satisfies(requirement: Requirement, backend: Backend) -> bool:
    version = backend.provides.get(requirement.contract)
    return version is not None and version in requirement.versions


def _describe(requirement: Requirement, backend: Backend) -> str:
    version = backend.provides.get(requirement.contract)
    where = f"pod {backend.pod}" + (f" (track {backend.track})" if backend.track else "")
    if version is None:
        return f"{where} does not say that it serves {requirement.contract}"
    return (
        f"{where} serves {requirement.contract} {ranges.render_version(version)}, not {requirement.versions}"
    )
