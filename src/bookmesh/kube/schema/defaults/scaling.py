"""Horizontal autoscalers, in both of their versions."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.kube.schema.defaults.filling import fill

_UP: Final[JsonObject] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_DOWN: Final[JsonObject] = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}


def fill_autoscaler(autoscaler: JsonObject) -> None:
    spec = autoscaler["spec"]
    fill(spec, minReplicas=1)
    if autoscaler.get("apiVersion") == "autoscaling/v1":
        return
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if spec.get("behavior") is not None:
        for name, defaults in (("scaleUp", _UP), ("scaleDown", _DOWN)):
            fill(spec["behavior"].setdefault(name, {}), **copy_json(defaults))
