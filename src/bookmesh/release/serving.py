"""
What a release serves at this moment, read from the objects of a cluster: which pods, of which track, under which
contracts, and which share of the traffic each track gets.

Deployments say what is wanted, pods what is there. A track gets traffic when a route names it with a weight above 0,
or a rule goes to it, or while it stands in for one that has no ready pod, or when no route decides at all: then every
ready pod behind the Service does. Mirrors do not count, since nobody sees their answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts, subsets, troubles
from bookmesh.release.contracts import ReleaseId


@dataclass(frozen=True, slots=True)
class Backend:
    """One pod that is not on its way out."""

    pod: str
    track: str
    provides: contracts.Provided
    is_ready: bool
    trouble: str = ""
    """Why it is not ready, as far as that is known."""


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
    """
    `shares` are the tracks that routes send requests to, and those that stand in for them now; None when no route
    decides. `strict` are those of them whose requests nobody else answers.
    """

    release: ReleaseId
    rollouts: tuple[Rollout, ...]
    backends: tuple[Backend, ...]
    shares: frozenset[str] | None
    strict: frozenset[str] = frozenset()

    def is_routed(self, track: str) -> bool:
        return self.shares is None or track in self.shares


def observe(release: ReleaseId, objects: Iterable[JsonObject]) -> Serving:
    """
    Build the view of one release from the Deployments, Pods, Services and routes of its namespace.

    Raises:
        DeclarationError: an annotation of a pod is wrong.
    """
    mine, routes, rules = [], [], []
    for obj in objects:
        if obj["metadata"].get("namespace", release.namespace) != release.namespace:
            continue
        if obj["kind"] in {"VirtualService", "HTTPRoute"}:
            routes.append(obj)
        elif obj["kind"] == "DestinationRule":
            rules.append(obj)
        elif (obj["metadata"].get("labels") or {}).get(contracts.INSTANCE) == release.name:
            mine.append(obj)
    pods = [obj for obj in mine if obj["kind"] == "Pod" and not _is_leaving(obj)]
    traffic = _Traffic(
        release.namespace,
        {obj["metadata"]["name"]: obj for obj in mine if obj["kind"] == "Service"},
        subsets.read(rules, release.namespace),
        tuple(obj["metadata"].get("labels") or {} for obj in pods if _is_ready(obj)),
    )
    shares, strict = traffic.of(routes)
    return Serving(
        release,
        tuple(_rollout(obj) for obj in mine if obj["kind"] == "Deployment"),
        tuple(_backend(obj) for obj in pods),
        shares,
        strict,
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
    return Backend(
        pod["metadata"]["name"],
        labels.get(contracts.TRACK, ""),
        contracts.provided_by(pod, f"Pod {pod['metadata']['name']}"),
        _is_ready(pod),
        "" if _is_ready(pod) else troubles.of_pod(pod),
    )


def _is_ready(pod: JsonObject) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


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


@dataclass(frozen=True, slots=True)
class _Traffic:
    """What decides who gets requests: the Services of one release, their subsets (`known`), labels of ready pods."""

    namespace: str
    services: Mapping[str, JsonObject]
    known: Mapping[tuple[str, str], subsets.Subset]
    ready: tuple[Mapping[str, str], ...]

    def of(self, routes: Iterable[JsonObject]) -> tuple[frozenset[str] | None, frozenset[str]]:
        """`shares` and `strict` of all routes; None when one of them reaches all pods, or there is none."""
        found: set[str] = set()
        strict: set[str] = set()
        targets = [target for route in routes for target in self._targets(route)]
        for service, subset in targets:
            if subset is None or subset.track is None:
                return None, frozenset()
            found.add(subset.track)
            if subset.priorities:
                found |= subset.answering(self._behind(service))
            else:
                strict.add(subset.track)
        return (frozenset(found) if targets else None), frozenset(strict)

    def _targets(self, route: JsonObject) -> Iterator[tuple[str, subsets.Subset | None]]:
        """Yield what a route sends requests to: one of our Services, and which pods of it; None for all."""
        if route["kind"] == "VirtualService":
            for http in route["spec"].get("http") or ():
                for target in http.get("route") or ():
                    host = subsets.service_name(target["destination"]["host"], self.namespace)
                    if host in self.services and _has_weight(target, http["route"]):
                        yield host, self._subset(host, target["destination"].get("subset"))
            return
        for rule in route["spec"].get("rules") or ():
            for target in rule.get("backendRefs") or ():
                service = self.services.get(target["name"])
                if service is not None and target.get("weight", 1) > 0:
                    yield target["name"], subsets.Subset(service["spec"].get("selector") or {})

    def _subset(self, service: str, name: str | None) -> subsets.Subset | None:
        """A subset that no rule defines is taken for the track of that name."""
        if name is None:
            return None
        return self.known.get((service, name)) or subsets.Subset({contracts.TRACK: name})

    def _behind(self, service: str) -> Iterator[Mapping[str, str]]:
        selector = self.services[service]["spec"].get("selector") or {}
        return (labels for labels in self.ready if selector.items() <= labels.items())


def _has_weight(target: JsonObject, targets: list[Any]) -> bool:
    """Istio: a destination alone needs no weight; among several, one without has none."""
    return bool(target.get("weight", 0) > 0 or len(targets) == 1)
