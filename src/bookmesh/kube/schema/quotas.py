"""
What objects count against a ResourceQuota, which of them a quota's scopes select, and what is over its limits.

Pods count by their requests and limits while they run, claims by their storage, Services by their type, and everything
by its number (`count/deployments.apps`, and plain names for the oldest kinds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import amounts, pod_resources
from bookmesh.kube.schema.amounts import Amount

_ONE: Final = Amount(Decimal(1))
_PLAIN_COUNTS: Final = frozenset(
    {"configmaps", "persistentvolumeclaims", "resourcequotas", "secrets", "services"}
)
_SHORT: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_REQUIRED: Final = (
    ("cpu", "requests", "cpu"),
    ("limits.cpu", "limits", "cpu"),
    ("limits.memory", "limits", "memory"),
    ("memory", "requests", "memory"),
    ("requests.cpu", "requests", "cpu"),
    ("requests.memory", "requests", "memory"),
)
_CLASS: Final = "storageclass.storage.k8s.io"


def usage_of(group: str, plural: str, obj: JsonObject) -> dict[str, Amount]:
    """List what one object counts, under every name that a quota may limit it by."""
    counted = {f"count/{plural}.{group}" if group else f"count/{plural}": _ONE}
    if not group and plural in _PLAIN_COUNTS:
        counted[plural] = _ONE
    special = _SPECIAL.get((group, plural))
    return counted | special(obj) if special else counted


def used(quota: JsonObject, objects: Iterable[tuple[str, str, JsonObject]]) -> dict[str, Amount]:
    """Add up what objects (group, plural, object) count against a quota; every limited name is there."""
    hard = hard_of(quota)
    parts = [
        {name: amount for name, amount in usage_of(group, plural, obj).items() if name in hard}
        for group, plural, obj in objects
        if selects(quota, group, plural, obj)
    ]
    return dict.fromkeys(hard, amounts.ZERO) | amounts.total(parts)


def hard_of(quota: JsonObject) -> dict[str, Amount]:
    return amounts.parse_all((quota.get("spec") or {}).get("hard"))


def selects(quota: JsonObject, group: str, plural: str, obj: JsonObject) -> bool:
    """Whether an object is in the quota's scopes; scopes are about pods, so nothing else is in any."""
    spec = quota.get("spec") or {}
    scopes = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    scopes += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    if not scopes:
        return True
    return (group, plural) == ("", "pods") and all(_is_in(scope, obj) for scope in scopes)


def over(hard: amounts.Amounts, now: amounts.Amounts, more: amounts.Amounts) -> list[str]:
    """Name, in order, the limits that `more` on top of `now` would break; what needs no more breaks none."""
    return sorted(
        name
        for name, amount in more.items()
        if name in hard and amount.value > 0 and (now[name] + amount).value > hard[name].value
    )


def missing_resources(quota: JsonObject, pod: JsonObject) -> str:
    """Say what containers must ask for, since the quota limits it: `limits.cpu for: c`; "" when nothing is missing."""
    hard, spec = (quota.get("spec") or {}).get("hard") or {}, pod["spec"]
    told = []
    for name, part, resource in _REQUIRED:
        without = {
            container["name"]
            for container in (*spec["containers"], *(spec.get("initContainers") or ()))
            if resource not in ((container.get("resources") or {}).get(part) or {})
        }
        if name in hard and without:
            told.append(f"{name} for: {','.join(sorted(without))}")
    return "; ".join(told)


def listed(names: Iterable[str], values: Mapping[str, Amount]) -> str:
    """Write amounts as messages have them: `cpu=2,memory=1Gi`."""
    return ",".join(f"{name}={values[name]}" for name in sorted(names))


def _is_in(scope: JsonObject, pod: JsonObject) -> bool:
    spec, name, operator = pod["spec"], scope["scopeName"], scope.get("operator", "Exists")
    if name == "PriorityClass":
        own = spec.get("priorityClassName") or ""
        match operator:
            case "In":
                return own in scope["values"]
            case "NotIn":
                return own not in scope["values"]
            case "DoesNotExist":
                return not own
            case _:
                return bool(own)
    return _IN_SCOPE[name](pod)


def _is_best_effort(pod: JsonObject) -> bool:
    return pod_resources.quality_of_service(pod["spec"]) == "BestEffort"


def _has_deadline(pod: JsonObject) -> bool:
    return pod["spec"].get("activeDeadlineSeconds") is not None


def _names_namespaces(pod: JsonObject) -> bool:
    """Whether its affinity to other pods reaches into other namespaces."""
    affinity = pod["spec"].get("affinity") or {}
    terms: list[JsonObject] = []
    for kind in ("podAffinity", "podAntiAffinity"):
        part = affinity.get(kind) or {}
        terms += part.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        preferred = part.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        terms += [each["podAffinityTerm"] for each in preferred]
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms)


_IN_SCOPE: Final[Mapping[str, Callable[[JsonObject], bool]]] = {
    "Terminating": _has_deadline,
    "NotTerminating": lambda pod: not _has_deadline(pod),
    "BestEffort": _is_best_effort,
    "NotBestEffort": lambda pod: not _is_best_effort(pod),
    "CrossNamespacePodAffinity": _names_namespaces,
}


def _of_pod(pod: JsonObject) -> dict[str, Amount]:
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {}
    found = {"pods": _ONE}
    for name, amount in pod_resources.of_pod(pod["spec"], "requests").items():
        found[f"requests.{name}"] = amount
        if name in _SHORT:
            found[name] = amount
    for name, amount in pod_resources.of_pod(pod["spec"], "limits").items():
        found[f"limits.{name}"] = amount
    return found


def _of_service(service: JsonObject) -> dict[str, Amount]:
    spec = service.get("spec") or {}
    ports, found = Amount(Decimal(len(spec.get("ports") or ()))), {}
    if spec.get("type") == "NodePort":
        found["services.nodeports"] = ports
    elif spec.get("type") == "LoadBalancer":
        found["services.loadbalancers"] = _ONE
        if spec.get("allocateLoadBalancerNodePorts", True):
            found["services.nodeports"] = ports
    return found


def _of_claim(claim: JsonObject) -> dict[str, Amount]:
    spec = claim.get("spec") or {}
    storage = amounts.parse_all((spec.get("resources") or {}).get("requests")).get("storage", amounts.ZERO)
    found = {"requests.storage": storage}
    if name := spec.get("storageClassName"):
        found[f"{name}.{_CLASS}/requests.storage"] = storage
        found[f"{name}.{_CLASS}/persistentvolumeclaims"] = _ONE
    return found


_SPECIAL: Final[Mapping[tuple[str, str], Callable[[JsonObject], dict[str, Amount]]]] = {
    ("", "pods"): _of_pod,
    ("", "services"): _of_service,
    ("", "persistentvolumeclaims"): _of_claim,
}
