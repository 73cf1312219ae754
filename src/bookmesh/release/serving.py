"""
What a release serves at this moment, read from the objects of a cluster: which pods, of which track, under which
contracts, and which share of the traffic each track gets.

Deployments say what is wanted, pods what is there. A track gets traffic when a route names it with a weight above 0,
or a rule goes to it, or when no route decides at all: then every ready pod behind the Service does. Mirrors do not
count, since nobody sees their answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts
from bookmesh.release.contracts import ReleaseId

ISTIO: Final = "networking.istio.io"
GATEWAY_API: Final = "gateway.networking.k8s.io"


@dataclass(frozen=True, slots=True)
class Backend:
    """One pod that is not on its way out."""

    pod: str
    track: str
    provides: contracts.Provided
    is_ready: bool


@dataclass(frozen=True, slots=True)
class Rollout:
    """The Deployment of one track: how many pods it wants, and how far its controller is."""

    deployment: str
    track: str
    is_observed: bool
    """Whether the controller has seen the newest specification."""
    wanted: int
    updated: int
    replicas: int
    """All pods of it, old ones included."""


@dataclass(frozen=True, slots=True)
class Serving:
    """`shares` are the tracks that routes send requests to; None when no route decides."""

    release: ReleaseId
    rollouts: tuple[Rollout, ...]
    backends: tuple[Backend, ...]
    shares: frozenset[str] | None

    def is_routed(self, track: str) -> bool:
        return self.shares is None or track in self.shares


def observe(release: ReleaseId, objects: Iterable[JsonObject]) -> Serving:
    """
    Build the view of one release from the Deployments, Pods, Services and routes of its namespace.

    Raises:
        DeclarationError: an annotation of a pod is wrong.
    """
    mine, routes = [], []
    for obj in objects:
        if obj["metadata"].get("namespace", release.namespace) != release.namespace:
            continue
        if obj["kind"] in {"VirtualService", "HTTPRoute"}:
            routes.append(obj)
        elif (obj["metadata"].get("labels") or {}).get(contracts.INSTANCE) == release.name:
            mine.append(obj)
    services = {obj["metadata"]["name"]: obj for obj in mine if obj["kind"] == "Service"}
    return Serving(
        release,
        tuple(_rollout(obj) for obj in mine if obj["kind"] == "Deployment"),
        tuple(_backend(obj) for obj in mine if obj["kind"] == "Pod" and not _is_leaving(obj)),
        _shares(routes, services, release.namespace),
    )


def _is_leaving(pod: JsonObject) -> bool:
    """
    Whether a pod is ended or over. One that is ending may still finish requests, but gets no new ones: its endpoint is
    withdrawn with the decision to delete it.
    """
    is_over = pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
    return is_over or pod["metadata"].get("deletionTimestamp") is not None


def _backend(pod: JsonObject) -> Backend:
    labels = pod["metadata"].get("labels") or {}
    conditions = pod.get("status", {}).get("conditions") or []
    return Backend(
        pod["metadata"]["name"],
        labels.get(contracts.TRACK, ""),
        contracts.provided_by(pod, f"Pod {pod['metadata']['name']}"),
        any(one["type"] == "Ready" and one["status"] == "True" for one in conditions),
    )


def _rollout(deployment: JsonObject) -> Rollout:
    status = deployment.get("status", {})
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    generation = deployment["metadata"].get("generation", 0)
    return Rollout(
        deployment["metadata"]["name"],
        labels.get(contracts.TRACK, ""),
        status.get("observedGeneration", 0) >= generation,
        deployment["spec"].get("replicas", 1),
        status.get("updatedReplicas", 0),
        status.get("replicas", 0),
    )


def _shares(
    routes: Iterable[JsonObject], services: Mapping[str, JsonObject], namespace: str
) -> frozenset[str] | None:
    """Union of what all routes to these Services name; None when one of them reaches all pods, or there is none."""
    named: set[str] = set()
    is_decided = False
    for route in routes:
        for track in _tracks_of(route, services, namespace):
            if track is None:
                return None
            is_decided = True
            named.add(track)
    return frozenset(named) if is_decided else None


def _tracks_of(route: JsonObject, services: Mapping[str, JsonObject], namespace: str) -> Iterator[str | None]:
    """Yield the tracks of our Services that a route sends requests to; None for a Service as a whole."""
    if route["kind"] == "VirtualService":
        for http in route["spec"].get("http") or ():
            for target in http.get("route") or ():
                host = _service_name(target["destination"]["host"], namespace)
                if host in services and _has_weight(target, http["route"]):
                    yield target["destination"].get("subset")
        return
    for rule in route["spec"].get("rules") or ():
        for target in rule.get("backendRefs") or ():
            service = services.get(target["name"])
            if service is not None and target.get("weight", 1) > 0:
                yield (service["spec"].get("selector") or {}).get(contracts.TRACK)


def _has_weight(target: JsonObject, targets: list[Any]) -> bool:
    """Istio: a destination alone needs no weight; among several, one without has none."""
    return bool(target.get("weight", 0) > 0 or len(targets) == 1)


def _service_name(host: str, namespace: str) -> str:
    """The name of a Service of this namespace that a host stands for; the host itself for any other."""
    name, _, rest = host.partition(".")
    return name if rest in {"", namespace, f"{namespace}.svc", f"{namespace}.svc.cluster.local"} else host
