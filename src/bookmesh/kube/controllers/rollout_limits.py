"""How far a Deployment may stray from its number of replicas while it rolls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from bookmesh.base.kubernetes import JsonObject


@dataclass(frozen=True, slots=True)
class Limits:
    """All in pods. `max_surge` above and `max_unavailable` below `replicas` are allowed; never both 0 when rolling."""

    replicas: int
    max_surge: int
    max_unavailable: int

    @property
    def most(self) -> int:
        return self.replicas + self.max_surge

    @property
    def fewest_available(self) -> int:
        return self.replicas - self.max_unavailable


def limits_of(deployment: JsonObject) -> Limits:
    """Work the limits out; percentages of `maxSurge` round up, those of `maxUnavailable` down."""
    spec = deployment["spec"]
    replicas: int = spec.get("replicas", 1)
    strategy = spec.get("strategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return Limits(replicas, 0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    surge = ceil(_resolve(rolling.get("maxSurge", "25%"), replicas))
    unavailable = floor(_resolve(rolling.get("maxUnavailable", "25%"), replicas))
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Limits(replicas, surge, min(unavailable, replicas))


def share(value: int | str, total: int, *, rounds_up: bool) -> int:
    """Work out a number or a percentage of `total`."""
    exact = _resolve(value, total)
    return ceil(exact) if rounds_up else floor(exact)


def _resolve(value: int | str, total: int) -> Fraction:
    if isinstance(value, str) and value.endswith("%"):
        return Fraction(int(value[:-1]) * total, 100)
    return Fraction(int(value))


def wanted(replica_set: JsonObject) -> int:
    """Read how many pods a ReplicaSet is told to keep."""
    replicas: int = replica_set["spec"].get("replicas", 1)
    return replicas


def counted(replica_sets: Iterable[JsonObject], field: str) -> int:
    """Add up one count of their statuses."""
    return sum((each.get("status") or {}).get(field, 0) for each in replica_sets)


def most_pods(replica_set: JsonObject) -> int:
    """Tell how many pods there may be now: those it shall have, or those it still has."""
    return max(wanted(replica_set), counted([replica_set], "replicas"))


def sure_available(replica_set: JsonObject) -> int:
    """Tell how many available pods there will be once it has done what it was told."""
    return min(wanted(replica_set), counted([replica_set], "availableReplicas"))


def is_settled(replica_set: JsonObject) -> bool:
    """Tell whether its status speaks about the spec it has now."""
    generation: int = replica_set["metadata"].get("generation", 0)
    observed: int = (replica_set.get("status") or {}).get("observedGeneration", 0)
    return observed >= generation
