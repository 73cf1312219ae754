"""
Load balancing by locality: how the endpoints of a cluster are spread for callers in one place.

`distribute` gives localities the shares that a rule names. Failover makes priorities: near endpoints first, others when
those are ejected; so it needs outlier detection. Without either, locality does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bookmesh.mesh.model import load_balancers
from bookmesh.mesh.registry import endpoints, services, workloads
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import traffic_policies

_NEARBY: Final[Mapping[services.Preference, load_balancers.LocalityLoadBalancer]] = {
    "zone": load_balancers.LocalityLoadBalancer(
        failover_priority=(workloads.REGION_LABEL, workloads.ZONE_LABEL)
    ),
    "node": load_balancers.LocalityLoadBalancer(
        failover_priority=(workloads.REGION_LABEL, workloads.ZONE_LABEL, workloads.SUBZONE_LABEL)
    ),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a proxy is, and those of its labels that a failover may ask for."""

    locality: workloads.Locality = field(default_factory=workloads.Locality)
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints of one locality and priority, 0 first; `weight` is the share among those of the same priority."""

    locality: workloads.Locality
    priority: int
    weight: int
    members: tuple[endpoints.Endpoint, ...]


def setting_in_force(
    policy: traffic_policies.EffectivePolicy,
    caller: Caller,
    mesh: settings_.MeshSettings,
    *,
    prefers: services.Preference = "any",
) -> load_balancers.LocalityLoadBalancer | None:
    """
    The setting that spreads endpoints for this caller, that of a rule, else of the service, else of the mesh; None when
    locality does not matter. What a service prefers needs no outlier detection: endpoints that are not ready count.

    Source: DestinationRule `trafficPolicy.loadBalancer.localityLbSetting`, Service `spec.trafficDistribution`,
    MeshConfig `localityLbSetting`.
    """
    own = policy.load_balancer.locality_lb_setting if policy.load_balancer is not None else None
    if own is None and prefers != "any":
        return _NEARBY[prefers]
    setting = own or mesh.locality
    if setting.enabled is False or (setting.enabled is None and not mesh.is_locality_enabled):
        return None
    if setting.distribute:
        return setting if caller.locality.region else None
    if policy.outlier_detection is None or not (caller.locality.region or setting.failover_priority):
        return None
    return setting


def spread(
    members: Sequence[endpoints.Endpoint],
    setting: load_balancers.LocalityLoadBalancer | None,
    caller: Caller,
) -> list[Group]:
    """Group endpoints by locality; in the order of the endpoints, and by priority first."""
    if setting is None:
        return _grouped(dict.fromkeys(members, 0))
    if setting.distribute:
        return _distributed(_grouped(dict.fromkeys(members, 0)), setting.distribute, caller)
    ranks = {endpoint: _rank(endpoint, setting, caller) for endpoint in members}
    order = {rank: priority for priority, rank in enumerate(sorted(set(ranks.values())))}
    return _grouped({endpoint: order[rank] for endpoint, rank in ranks.items()})


def _grouped(priorities: Mapping[endpoints.Endpoint, int]) -> list[Group]:
    found: defaultdict[tuple[int, workloads.Locality], list[endpoints.Endpoint]] = defaultdict(list)
    for endpoint, priority in priorities.items():
        found[priority, endpoint.locality].append(endpoint)
    groups = [
        Group(where, priority, sum(endpoint.weight for endpoint in group), tuple(group))
        for (priority, where), group in found.items()
    ]
    return sorted(groups, key=lambda group: group.priority)


def _distributed(
    groups: Sequence[Group], rules: Sequence[load_balancers.LocalityDistribute], caller: Caller
) -> list[Group]:
    """Share by the first rule for the caller; localities it does not name get nothing."""
    rule = next((rule for rule in rules if _is_inside(caller.locality, rule.from_)), None)
    if rule is None:
        return list(groups)
    shares: dict[workloads.Locality, int] = {}
    for pattern, percent in rule.to.items():
        inside = [g for g in groups if g.locality not in shares and _is_inside(g.locality, pattern)]
        total = sum(group.weight for group in inside)
        for group in inside:
            shares[group.locality] = max(1, round(percent * group.weight / total)) if percent else 0
    return [Group(g.locality, 0, shares[g.locality], g.members) for g in groups if shares.get(g.locality)]


def _is_inside(locality: workloads.Locality, pattern: str) -> bool:
    """Whether a locality lies in `region/zone/subzone`, of which parts may be left out at the end or be `*`."""
    if pattern == "*":
        return True
    parts = (locality.region, locality.zone, locality.subzone)
    return all(wanted in ("*", part) for wanted, part in zip(pattern.split("/"), parts, strict=False))


def _distance(where: workloads.Locality, setting: load_balancers.LocalityLoadBalancer, caller: Caller) -> int:
    """0 same subzone, 1 same zone, 2 same region, 3 the region that takes over, 4 others."""
    own = caller.locality
    if where.region == own.region:
        if where.zone == own.zone:
            return 0 if where.subzone == own.subzone else 1
        return 2
    successor = next((rule.to for rule in setting.failover if rule.from_ == own.region), None)
    return 3 if successor is None or where.region == successor else 4


def _rank(
    endpoint: endpoints.Endpoint, setting: load_balancers.LocalityLoadBalancer, caller: Caller
) -> tuple[int, int]:
    """By labels, then by locality; labels alone when nothing is said about regions."""
    labels = _label_rank(endpoint, setting.failover_priority, caller)
    if setting.failover_priority and not setting.failover:
        return labels, 0
    return labels, _distance(endpoint.locality, setting, caller)


def _label_rank(endpoint: endpoints.Endpoint, priority: Sequence[str], caller: Caller) -> int:
    """
    How many of the labels are left after the first in which endpoint and caller differ; 0 when none does.

    `KEY=VALUE` stands for a caller with that label; a label that is not there is the same as an empty one.
    """
    theirs = _with_topology(endpoint.labels, endpoint.locality)
    own = _with_topology(caller.labels, caller.locality)
    for index, entry in enumerate(priority):
        label, is_fixed, value = entry.partition("=")
        if theirs.get(label, "") != (value if is_fixed else own.get(label, "")):
            return len(priority) - index
    return 0


def _with_topology(labels: Mapping[str, str], where: workloads.Locality) -> dict[str, str]:
    topology = {
        workloads.REGION_LABEL: where.region,
        workloads.ZONE_LABEL: where.zone,
        workloads.SUBZONE_LABEL: where.subzone,
    }
    return {label: value for label, value in topology.items() if value} | dict(labels)
