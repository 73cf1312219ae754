"""
What the subsets of DestinationRules are in terms of tracks: one track, or one that others stand in for.

A subset selects pods by labels, so usually one track. With a `failoverPriority` it ranks the pods that it selects: the
ready ones of the first rank that has any get its requests. `version=TRACK` in that list says whose requests they are.

Policies of single ports are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts


@dataclass(frozen=True, slots=True)
class Subset:
    """`priorities` are labels and their values, the most important first; empty when nobody stands in."""

    labels: Mapping[str, str] = field(default_factory=dict)
    priorities: tuple[tuple[str, str], ...] = ()

    @property
    def track(self) -> str | None:
        """Whose requests these are; None when the subset does not tell tracks apart."""
        return dict(self.priorities).get(contracts.TRACK) or self.labels.get(contracts.TRACK)

    def answering(self, pods: Iterable[Mapping[str, str]]) -> frozenset[str]:
        """The tracks of those that get the requests of the subset, out of ready pods by their labels."""
        ranks: dict[int, set[str]] = {}
        for labels in pods:
            if self.labels.items() <= labels.items():
                ranks.setdefault(self._rank(labels), set()).add(labels.get(contracts.TRACK, ""))
        return frozenset(ranks[min(ranks)]) if ranks else frozenset()

    def _rank(self, labels: Mapping[str, str]) -> int:
        """How many labels are left after the first that differs; a label that is not there is an empty one."""
        for index, (label, value) in enumerate(self.priorities):
            if labels.get(label, "") != value:
                return len(self.priorities) - index
        return 0


def read(rules: Iterable[JsonObject], namespace: str) -> dict[tuple[str, str], Subset]:
    """
    The subsets of DestinationRules, by the Service of this namespace and the subset's name.

    Istio joins rules for one host: the first subset of a name counts, and the first policy for the whole host.
    """
    by_age = sorted(rules, key=lambda rule: str(rule["metadata"].get("creationTimestamp", "")))
    specs = [(service_name(rule["spec"]["host"], namespace), rule["spec"]) for rule in by_age]
    policies: dict[str, Mapping[str, Any]] = {}
    for service, spec in specs:
        if spec.get("trafficPolicy"):
            policies.setdefault(service, spec["trafficPolicy"])
    found: dict[tuple[str, str], Subset] = {}
    for service, spec in specs:
        for subset in spec.get("subsets") or ():
            found.setdefault((service, subset["name"]), _subset(policies.get(service, {}), subset))
    return found


def service_name(host: str, namespace: str) -> str:
    """The name of a Service of this namespace that a host stands for; the host itself for any other."""
    name, _, rest = host.partition(".")
    return name if rest in {"", namespace, f"{namespace}.svc", f"{namespace}.svc.cluster.local"} else host


def _subset(whole: Mapping[str, Any], subset: Mapping[str, Any]) -> Subset:
    """A subset's own policy is over that of the whole host, field by field."""
    policy = {**whole, **(subset.get("trafficPolicy") or {})}
    setting = (policy.get("loadBalancer") or {}).get("localityLbSetting") or {}
    # Without outlier detection Istio does not rank. A label without a value is one that callers may have.
    is_ranked = "outlierDetection" in policy and setting.get("enabled", True)
    entries = [entry.partition("=") for entry in setting.get("failoverPriority") or () if is_ranked]
    ranked = tuple((label, value) for label, is_fixed, value in entries if is_fixed)
    has_own = contracts.TRACK in dict(ranked)
    return Subset(subset.get("labels") or {}, ranked if has_own else ())
