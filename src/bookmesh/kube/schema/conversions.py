"""
One object in several versions of a built-in kind: `autoscaling/v1` beside `v2`.

What v1 has no field for travels in annotations, under the names that Kubernetes uses for them, so that nothing is
lost when an old client reads and writes a new object.
"""

from __future__ import annotations

import json
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject

_PREFIX: Final = "autoscaling.alpha.kubernetes.io/"
_CPU: Final = "targetCPUUtilizationPercentage"
_CURRENT_CPU: Final = "currentCPUUtilizationPercentage"


def convert(obj: JsonObject, api_version: str) -> JsonObject:
    """Give the object in another served version of its kind; most kinds differ in nothing but the `apiVersion`."""
    if obj.get("apiVersion") == api_version:
        return obj
    converted = {**obj, "apiVersion": api_version}
    if obj.get("kind") == "HorizontalPodAutoscaler":
        return _to_v1(converted) if api_version == "autoscaling/v1" else _to_v2(converted)
    return converted


def _to_v1(obj: JsonObject) -> JsonObject:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metrics: list[JsonObject] = list(spec.pop("metrics", None) or ())
    measured: list[JsonObject] = list(status.pop("currentMetrics", None) or ())
    first = next((index for index, metric in enumerate(metrics) if _is_cpu_share(metric, "target")), None)
    if first is not None:
        spec[_CPU] = metrics.pop(first)["resource"]["target"]["averageUtilization"]
    share = next((metric for metric in measured if _is_cpu_share(metric, "current")), None)
    if share is not None:
        status[_CURRENT_CPU] = share["resource"]["current"]["averageUtilization"]
    kept = {
        "metrics": metrics,
        "behavior": spec.pop("behavior", None),
        "current-metrics": measured,
        "conditions": status.pop("conditions", None),
    }
    annotations = dict(obj["metadata"].get("annotations") or {})
    annotations |= {
        _PREFIX + name: json.dumps(value, separators=(",", ":")) for name, value in kept.items() if value
    }
    return _assembled(obj, annotations, spec, status)


def _to_v2(obj: JsonObject) -> JsonObject:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(obj["metadata"].get("annotations") or {})
    kept = {
        name: _parsed(annotations.pop(_PREFIX + name, ""))
        for name in ("metrics", "behavior", "current-metrics", "conditions")
    }
    share = spec.pop(_CPU, None)
    metrics: list[JsonObject] = list(kept["metrics"] or ())
    if share is not None:
        target = {"type": "Utilization", "averageUtilization": share}
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": target}})
    status.pop(_CURRENT_CPU, None)
    for fields, name, value in (
        (spec, "metrics", metrics),
        (spec, "behavior", kept["behavior"]),
        (status, "currentMetrics", kept["current-metrics"]),
        (status, "conditions", kept["conditions"]),
    ):
        if value:
            fields[name] = value
    return _assembled(obj, annotations, spec, status)


def _assembled(obj: JsonObject, annotations: JsonObject, spec: JsonObject, status: JsonObject) -> JsonObject:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "annotations"}
    if annotations:
        metadata["annotations"] = annotations
    assembled = {**obj, "metadata": metadata, "spec": spec}
    if "status" in obj or status:
        assembled["status"] = status
    return assembled


def _is_cpu_share(metric: JsonObject, part: str) -> bool:
    entry = metric.get("resource") or {}
    return entry.get("name") == "cpu" and "averageUtilization" in (entry.get(part) or {})


def _parsed(text: str) -> Any:
    """What an annotation holds; one that somebody wrote by hand and that is no JSON counts as none."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
