"""
Bringing tracks up before routes send anybody to them.

Helm writes all objects of a release at once. A track that comes back with its traffic, as a rollback brings it, would
have that traffic before it has a ready pod; one that gets traffic and another image together would answer with its old
pods. So its Deployment is written first, as Helm would do it, and waited for; Helm then finds it as it wants it, and
adds the routes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        Objects to write, what Deployments need first; empty when nobody is served now who could notice.
    """
    view = serving.observe(release, seen)
    if not any(one.is_ready and view.is_routed(one.track) for one in view.backends):
        return []
    known = {_key(obj): obj for obj in before}
    arriving = _arriving(view, serving.observe(release, after), known)
    deployments = [obj for obj in after if obj["kind"] == "Deployment" and _track(obj) in arriving]
    deployments = [obj for obj in deployments if not _is_there(obj, known, view)]
    if not deployments:
        return []
    supporting = [obj for obj in after if obj["kind"] in _SUPPORTING and known.get(_key(obj)) != obj]
    return [_owned(obj, release) for obj in (*supporting, *deployments)]


def bring_up(
    release: ReleaseId,
    objects: Sequence[JsonObject],
    *,
    before: Sequence[JsonObject],
    cluster: Cluster,
    patience: Patience,
) -> None:
    """
    Write objects and wait until the pods of their Deployments are ready; when they are not, all is again as `before`.

    Raises:
        NotServedError, ClusterFailedError.
    """
    names = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Deployment"}

    def view() -> serving.Serving:
        return serving.observe(release, cluster.objects(release.namespace))

    known = {_key(obj): obj for obj in before}
    written: list[JsonObject] = []
    try:
        for obj in objects:
            cluster.create(release, obj)
            written.append(obj)
        if names:
            patience.wait_for(
                release,
                lambda: judging.unfinished(view(), deployments=names),
                "before it gets traffic: ",
                why=lambda: judging.troubles(view()),
            )
    except NotServedError:
        for obj in reversed(written):
            if (old := known.get(_key(obj))) is not None:
                cluster.create(release, _owned(old, release))
            else:
                cluster.delete(release.namespace, obj)
        raise


def _arriving(
    now: serving.Serving, then: serving.Serving, known: Mapping[tuple[str, str], JsonObject]
) -> set[str]:
    """Tracks that get requests then and not now, those that Helm does not have yet among them."""
    # One that Helm does not know is not there yet: a run that was interrupted may have created it.
    there = {one.track for one in now.rollouts if ("Deployment", one.deployment) in known}
    ready = {one.track for one in now.backends if one.is_ready} & there
    wanted = {one.track for one in then.rollouts if then.is_routed(one.track)}
    if then.shares is None and ready & wanted:
        # Nobody is sent to a track without pods; those that have some are asked at once.
        wanted &= ready
    return {track for track in wanted if track not in there or not now.is_routed(track)}


def _is_there(
    deployment: JsonObject, known: Mapping[tuple[str, str], JsonObject], now: serving.Serving
) -> bool:
    """Whether a Deployment is what it is going to be, with all its pods."""
    installed = known.get(_key(deployment))
    if installed is None or installed["spec"] != deployment["spec"]:
        return False
    return not judging.unfinished(now, deployments=[deployment["metadata"]["name"]])


def _key(obj: JsonObject) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


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
