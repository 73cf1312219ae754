"""
Bringing tracks up before routes send anybody to them.

Helm writes all objects of a release at once. A track that comes back with its traffic, as a rollback brings it, would
have that traffic before it has a ready pod. So its Deployment is created first, as Helm would do it, and waited for;
Helm then finds it as it wants it, and adds the routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts, judging, serving
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.ports import Cluster
from bookmesh.release.waiting import NotServedError, Patience

OWNER_NAME: Final = "meta.helm.sh/release-name"
OWNER_NAMESPACE: Final = "meta.helm.sh/release-namespace"
_SUPPORTING: Final = frozenset({"ServiceAccount", "ConfigMap", "Secret", "PersistentVolumeClaim"})
"""What a pod may not start without."""


def missing(
    release: ReleaseId, after: Sequence[JsonObject], before: Sequence[JsonObject], seen: Sequence[JsonObject]
) -> list[JsonObject]:
    """
    Choose what has to be there before `after` is: Deployments that routes will send requests to, and what they need.

    Args:
        after: what the release is going to be.
        before: what it is according to Helm.
        seen: what the cluster has, as `ports.Cluster.objects` gives it.

    Returns:
        Objects to create, what Deployments need first; empty when nobody is served now who could notice.
    """
    shares = serving.observe(release, after).shares
    view = serving.observe(release, seen)
    if shares is None or not any(one.is_ready and view.is_routed(one.track) for one in view.backends):
        return []
    known = {(obj["kind"], obj["metadata"]["name"]) for obj in before}
    # One that Helm does not know is not there yet: a run that was interrupted may have created it.
    there = {one.deployment for one in view.rollouts if ("Deployment", one.deployment) in known}
    deployments = [
        obj
        for obj in after
        if obj["kind"] == "Deployment" and obj["metadata"]["name"] not in there and _track(obj) in shares
    ]
    if not deployments:
        return []
    supporting = [
        obj
        for obj in after
        if obj["kind"] in _SUPPORTING and (obj["kind"], obj["metadata"]["name"]) not in known
    ]
    return [_owned(obj, release) for obj in (*supporting, *deployments)]


def bring_up(release: ReleaseId, objects: Sequence[JsonObject], cluster: Cluster, patience: Patience) -> None:
    """
    Create objects and wait until the pods of their Deployments are ready; none of them stays when they are not.

    Raises:
        NotServedError, ClusterFailedError.
    """
    names = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Deployment"}

    def view() -> serving.Serving:
        return serving.observe(release, cluster.objects(release.namespace))

    created: list[JsonObject] = []
    try:
        for obj in objects:
            cluster.create(release, obj)
            created.append(obj)
        if names:
            patience.wait_for(
                release,
                lambda: judging.unfinished(view(), deployments=names),
                "before it gets traffic: ",
                why=lambda: judging.troubles(view()),
            )
    except NotServedError:
        for obj in reversed(created):
            cluster.delete(release.namespace, obj)
        raise


def _track(deployment: JsonObject) -> str:
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return str(labels.get(contracts.TRACK, ""))


def _owned(obj: JsonObject, release: ReleaseId) -> JsonObject:
    """The object with the annotations by which Helm knows its own."""
    metadata = obj["metadata"]
    annotations = {
        **(metadata.get("annotations") or {}),
        OWNER_NAME: release.name,
        OWNER_NAMESPACE: release.namespace,
    }
    return {**obj, "metadata": {**metadata, "annotations": annotations}}
