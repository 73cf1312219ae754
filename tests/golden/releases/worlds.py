"""
A cluster and a Helm that behave as the real ones do where releases look, on a clock of their own.

An upgrade changes what is wanted at once; pods follow one at a time, one with every pause: a new pod comes up, becomes
ready, an old one goes. So every mixed state that callers could meet is there for a moment, and can be looked at.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bookmesh.base.findings import BookmeshError, Finding
from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts, ports
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.files import Wanted

TRACK_LABEL: Final = "bookmesh.dev/track-"


def build_objects(release: str, values: Mapping[str, Any]) -> list[JsonObject]:
    """
    What a chart would render, from `{tracks: {NAME: {provides, image, replicas}}, weights: {NAME: PERCENT}, requires}`.

    With `failover: true`, tracks stand in for each other.
    """
    labels = {contracts.INSTANCE: release}
    annotations = {contracts.REQUIRES: json.dumps(values["requires"])} if values.get("requires") else {}
    objects: list[JsonObject] = [
        {
            "kind": "Service",
            "metadata": {"name": release, "labels": labels, "annotations": annotations},
            "spec": {"selector": {"app": release}},
        }
    ]
    for track, one in (values.get("tracks") or {}).items():
        template = {
            "metadata": {
                "labels": {**labels, "app": release, contracts.TRACK: track, f"{TRACK_LABEL}{track}": "true"},
                "annotations": {contracts.PROVIDES: json.dumps(one.get("provides", {}))},
            },
            "image": one.get("image", "1"),
        }
        objects.append(
            {
                "kind": "Deployment",
                "metadata": {"name": f"{release}-{track}", "labels": labels},
                "spec": {"replicas": one.get("replicas", 2), "template": template},
            }
        )
    if values.get("weights"):
        targets = [
            {"destination": {"host": release, "subset": track}, "weight": weight}
            for track, weight in values["weights"].items()
        ]
        spec = {"hosts": [release], "http": [{"route": targets}]}
        objects.append({"kind": "VirtualService", "metadata": {"name": release}, "spec": spec})
    if values.get("failover"):
        objects.append(_failover(release, values["tracks"], values.get("weights") or {}))
    return sorted(objects, key=lambda one: (one["kind"], one["metadata"]["name"]))


def _failover(release: str, tracks: Mapping[str, Any], weights: Mapping[str, int]) -> JsonObject:
    """As the library chart has it: tracks without weight stand in last."""
    subsets = []
    for track in tracks:
        idle = [one for one in tracks if weights and not weights.get(one) and one != track]
        priorities = [*(f"{TRACK_LABEL}{one}=" for one in idle), f"{contracts.TRACK}={track}"]
        setting = {"localityLbSetting": {"failoverPriority": priorities}}
        policy = {"loadBalancer": setting, "outlierDetection": {}}
        subsets.append({"name": track, "labels": {"app": release}, "trafficPolicy": policy})
    spec = {"host": release, "subsets": subsets}
    return {"kind": "DestinationRule", "metadata": {"name": release}, "spec": spec}


@dataclass
class Pod:
    name: str
    template: JsonObject
    is_ready: bool = False


@dataclass
class World:
    """
    `broken` are images whose pods never get ready, `flapping` those whose pods are so once a second only;
    `refused` are releases that Helm does not install.
    """

    broken: frozenset[str] = frozenset()
    flapping: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    on_pause: Callable[[World], None] = lambda _world: None
    now: float = 0.0
    history: dict[ReleaseId, list[list[JsonObject]]] = field(default_factory=dict)
    pods: dict[tuple[ReleaseId, str], list[Pod]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    early: dict[ReleaseId, list[JsonObject]] = field(default_factory=dict)
    """Deployments that were written beside Helm, as no revision has them yet."""
    holder: str = ""
    log: list[str] = field(default_factory=list)

    # What a person did before.

    def install(self, release: ReleaseId, values: Mapping[str, Any]) -> None:
        """Put a release there as it is long after its installation."""
        self.history[release] = [build_objects(release.name, values)]
        for deployment in self._deployments(release):
            template = deployment["spec"]["template"]
            name = deployment["metadata"]["name"]
            self.pods[release, name] = [
                Pod(f"{name}-{next(self.numbers)}", template, is_ready=True)
                for _ in range(deployment["spec"]["replicas"])
            ]

    # The port Helm.

    def render(self, wanted: Wanted) -> list[JsonObject]:
        return build_objects(wanted.release.name, wanted.values)

    def installed(self, namespace: str) -> Sequence[ports.Installed]:
        return [
            ports.Installed(release, len(revisions), tuple(revisions[-1]), is_deployed=True)
            for release, revisions in self.history.items()
            if release.namespace == namespace
        ]

    def manifest(self, release: ReleaseId, revision: int) -> list[JsonObject]:
        try:
            return self.history[release][revision - 1]
        except (KeyError, IndexError) as error:
            raise ports.HelmFailedError("release: not found") from error

    def apply(self, wanted: Wanted) -> int:
        self.log.append(f"helm applies {wanted.release.name}")
        if wanted.release.name in self.refused:
            raise ports.HelmFailedError(f"{wanted.release.name}: an error of the chart")
        self.history.setdefault(wanted.release, []).append(self.render(wanted))
        self.early.pop(wanted.release, None)
        return len(self.history[wanted.release])

    def roll_back(self, release: ReleaseId, revision: int) -> None:
        self.log.append(f"helm rolls {release.name} back to {revision}")
        self.history[release].append(self.manifest(release, revision))
        self.early.pop(release, None)

    def uninstall(self, release: ReleaseId) -> None:
        self.log.append(f"helm uninstalls {release.name}")
        if release not in self.history:
            raise ports.NotInstalledError(
                f"uninstall: Release not loaded: {release.name}: release: not found"
            )
        for deployment in self._deployments(release):
            self.pods.pop((release, deployment["metadata"]["name"]), None)
        del self.history[release]

    # The port Cluster.

    def objects(self, namespace: str) -> list[JsonObject]:
        found: list[JsonObject] = []
        for release, revisions in self.history.items():
            if release.namespace != namespace:
                continue
            found += [obj for obj in revisions[-1] if obj["kind"] != "Deployment"]
            found += [self._with_status(release, obj) for obj in self._deployments(release)]
            found += [
                _pod_object(pod) for key, pods in self.pods.items() if key[0] == release for pod in pods
            ]
        return found

    def create(self, release: ReleaseId, obj: JsonObject) -> None:
        self.delete(release.namespace, obj)
        self.early.setdefault(release, []).append(obj)

    def delete(self, namespace: str, obj: JsonObject) -> None:
        for release, early in self.early.items():
            if release.namespace == namespace:
                early[:] = [one for one in early if one["metadata"]["name"] != obj["metadata"]["name"]]

    @contextlib.contextmanager
    def lock(self, namespace: str, holder: str) -> Iterator[None]:
        if self.holder:
            raise BookmeshError(Finding(code="BM0607", message=f"{self.holder} changes {namespace}"))
        self.holder = holder
        yield
        self.holder = ""

    # Time.

    def pause(self, seconds: float) -> None:
        self.now += seconds
        for release in self.history:
            self._advance(release)
        self.on_pause(self)

    def _advance(self, release: ReleaseId) -> None:
        """One step of each Deployment; the pods of one that is gone go at once."""
        deployments = {one["metadata"]["name"]: one for one in self._deployments(release)}
        for key in [key for key in self.pods if key[0] == release and key[1] not in deployments]:
            del self.pods[key]
        for name, deployment in deployments.items():
            template, wanted = deployment["spec"]["template"], deployment["spec"]["replicas"]
            pods = self.pods.setdefault((release, name), [])
            new = [pod for pod in pods if pod.template == template]
            old = [pod for pod in pods if pod.template != template]
            unready = [pod for pod in new if not pod.is_ready and template["image"] not in self.broken]
            if template["image"] in self.flapping and len(new) == wanted and not old:
                for pod in new:
                    pod.is_ready = self.now % 1 == 0
            elif unready:
                unready[0].is_ready = True
            elif old and sum(pod.is_ready for pod in pods) > wanted:
                pods.remove(old[0])
            elif len(new) < wanted and all(pod.is_ready for pod in new):
                pods.append(Pod(f"{name}-{next(self.numbers)}", template))
            elif len(new) > wanted:
                pods.remove(new[-1])

    def _deployments(self, release: ReleaseId) -> list[JsonObject]:
        whole = (*self.history[release][-1], *self.early.get(release, ()))
        return list({obj["metadata"]["name"]: obj for obj in whole if obj["kind"] == "Deployment"}.values())

    def _with_status(self, release: ReleaseId, deployment: JsonObject) -> JsonObject:
        pods = self.pods.get((release, deployment["metadata"]["name"]), [])
        updated = sum(pod.template == deployment["spec"]["template"] for pod in pods)
        return {**deployment, "status": {"replicas": len(pods), "updatedReplicas": updated}}


def _pod_object(pod: Pod) -> JsonObject:
    metadata = {**pod.template["metadata"], "name": pod.name}
    conditions = [{"type": "Ready", "status": "True" if pod.is_ready else "False"}]
    return {"kind": "Pod", "metadata": metadata, "status": {"phase": "Running", "conditions": conditions}}
