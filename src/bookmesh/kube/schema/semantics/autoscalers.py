"""HorizontalPodAutoscalers: bounds of replicas, what is measured and aimed at, and how fast it goes."""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names, quantities
from bookmesh.kube.schema.causes import Cause

_SOURCES: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_TARGETS: Final = ("Utilization", "Value", "AverageValue")
_SELECT: Final = ("Disabled", "Max", "Min")
_POLICIES: Final = ("Percent", "Pods")
_LONGEST_WINDOW_S: Final = 3600
_LONGEST_PERIOD_S: Final = 1800


def check_autoscaler(autoscaler: JsonObject, old: JsonObject | None) -> list[Cause]:
    """Check an autoscaler of either version; `autoscaling/v1` has no metrics and no behavior."""
    spec = autoscaler.get("spec") or {}
    found = _check_replicas(spec)
    reference = spec.get("scaleTargetRef") or {}
    for field in ("kind", "name"):
        if not reference.get(field):
            found.append(causes.required(f"spec.scaleTargetRef.{field}"))
        else:
            found += names.check(f"spec.scaleTargetRef.{field}", reference[field], names.path_segment)
    for index, metric in enumerate(spec.get("metrics") or []):
        found += _check_metric(f"spec.metrics[{index}]", metric)
    if spec.get("minReplicas") == 0 and not _has_other_metric(spec):
        why = "must specify at least one Object or External metric to support scaling to zero replicas"
        found.append(causes.forbidden("spec.metrics", why))
    for direction in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(direction)
        if rules is not None:
            found += _check_rules(f"spec.behavior.{direction}", rules)
    return found


def _check_replicas(spec: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    fewest, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if fewest is not None and fewest < 0:
        found.append(causes.invalid("spec.minReplicas", fewest, "must be greater than or equal to 0"))
    if most < 1:
        found.append(
            causes.invalid("spec.maxReplicas", most, "must be greater than or equal to 1")
            if most
            else causes.required("spec.maxReplicas")
        )
    if fewest is not None and most < fewest:
        why = "must be greater than or equal to `minReplicas`"
        found.append(causes.invalid("spec.maxReplicas", most, why))
    return found


def _has_other_metric(spec: JsonObject) -> bool:
    return any(metric.get("type") in ("Object", "External") for metric in spec.get("metrics") or [])


def _check_metric(where: str, metric: JsonObject) -> list[Cause]:
    kind = metric.get("type") or ""
    field = _SOURCES.get(kind)
    if field is None:
        found = [causes.not_supported(f"{where}.type", kind, _SOURCES)]
        return (
            found if kind else [*found, causes.required(f"{where}.type", "must specify a metric source type")]
        )
    source, place = metric.get(field), f"{where}.{field}"
    if not source:
        return [causes.required(place, "must populate information for the given metric source")]
    found = _check_identity(place, kind, source)
    target = source.get("target") or {}
    return [*found, *_check_target(f"{place}.target", target), *_check_aim(f"{place}.target", kind, target)]


def _check_identity(where: str, kind: str, source: JsonObject) -> list[Cause]:
    if kind in ("Resource", "ContainerResource"):
        found: list[Cause] = []
        if kind == "ContainerResource":
            container = source.get("container") or ""
            found = (
                names.check(f"{where}.container", container, names.dns_label)
                if container
                else [causes.required(f"{where}.container", "must specify a container")]
            )
        if not source.get("name"):
            found.append(causes.required(f"{where}.name", "must specify a resource name"))
        return found
    found = []
    if kind == "Object":
        described = source.get("describedObject") or {}
        found = [
            causes.required(f"{where}.describedObject.{field}")
            for field in ("kind", "name")
            if not described.get(field)
        ]
    name = (source.get("metric") or {}).get("name") or ""
    if not name:
        return [*found, causes.required(f"{where}.metric.name", "must specify a metric name")]
    return [*found, *names.check(f"{where}.metric.name", name, names.path_segment)]


def _check_target(where: str, target: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    kind = target.get("type") or ""
    if not kind:
        found.append(causes.required(f"{where}.type", "must specify a metric target type"))
    if kind not in _TARGETS:
        why = "must be either Utilization, Value, or AverageValue"
        found.append(causes.invalid(f"{where}.type", kind, why))
    amounts = {field: target[field] for field in ("value", "averageValue") if target.get(field) is not None}
    found += [
        causes.invalid(f"{where}.{field}", str(amount), "must be positive")
        for field, amount in amounts.items()
        if quantities.parse(str(amount)) <= 0
    ]
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        found.append(causes.invalid(f"{where}.averageUtilization", share, "must be greater than 0"))
    return found


def _check_aim(where: str, kind: str, target: JsonObject) -> list[Cause]:
    """Check that a target says what its kind of metric is compared with, once."""
    average, value = target.get("averageValue"), target.get("value")
    if kind == "Pods":
        why = "must specify a positive target averageValue"
        return [] if average is not None else [causes.required(f"{where}.averageValue", why)]
    if kind == "Object":
        why = "must set either a target value or averageValue"
        return (
            []
            if average is not None or value is not None
            else [causes.required(f"{where}.averageValue", why)]
        )
    if kind == "External":
        if average is None and value is None:
            why = "must set either a target value for metric or a per-pod target"
            return [causes.required(f"{where}.averageValue", why)]
        if average is not None and value is not None:
            why = "may not set both a target value for metric and a per-pod target"
            return [causes.forbidden(f"{where}.value", why)]
        return []
    share = target.get("averageUtilization")
    if share is None and average is None:
        why = "must set either a target raw value or a target utilization"
        return [causes.required(f"{where}.averageUtilization", why)]
    if share is not None and average is not None:
        return [
            causes.forbidden(
                f"{where}.averageValue", "may not set both a target raw value and a target utilization"
            )
        ]
    return []


def _check_rules(where: str, rules: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        place = f"{where}.stabilizationWindowSeconds"
        found.append(causes.invalid(place, window, "must be greater than or equal to zero"))
    if window is not None and window > _LONGEST_WINDOW_S:
        why = f"must be less than or equal to {_LONGEST_WINDOW_S}"
        found.append(causes.invalid(f"{where}.stabilizationWindowSeconds", window, why))
    select = rules.get("selectPolicy")
    if select is not None and select not in _SELECT:
        found.append(causes.not_supported(f"{where}.selectPolicy", select, _SELECT))
    if not rules.get("policies"):
        found.append(causes.required(f"{where}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules.get("policies") or []):
        found += _check_policy(f"{where}.policies[{index}]", policy)
    return found


def _check_policy(where: str, policy: dict[str, Any]) -> list[Cause]:
    found: list[Cause] = []
    if policy.get("type") not in _POLICIES:
        found.append(causes.not_supported(f"{where}.type", policy.get("type") or "", _POLICIES))
    for field in ("value", "periodSeconds"):
        amount = policy.get(field) or 0
        if amount <= 0:
            found.append(causes.invalid(f"{where}.{field}", amount, "must be greater than zero"))
    period = policy.get("periodSeconds") or 0
    if period > _LONGEST_PERIOD_S:
        why = f"must be less than or equal to {_LONGEST_PERIOD_S}"
        found.append(causes.invalid(f"{where}.periodSeconds", period, why))
    return found
