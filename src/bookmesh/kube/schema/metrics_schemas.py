"""The kinds of `metrics.k8s.io`, which is no part of Kubernetes' own schemas."""

from __future__ import annotations

from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import nodes

_PREFIX: Final = "io.k8s.metrics.pkg.apis.metrics.v1beta1"
_META: Final = {"allOf": [{"$ref": nodes.REFERENCE + "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}]}
_USAGE: Final = {
    "type": "object",
    "description": "How much is used, by resource: cpu and memory.",
    "additionalProperties": {"$ref": nodes.REFERENCE + "io.k8s.apimachinery.pkg.api.resource.Quantity"},
}


def _kind(kind: str, description: str, **fields: Any) -> JsonObject:
    return {
        "type": "object",
        "description": description,
        "required": ["timestamp", "window", *fields],
        "properties": {
            "apiVersion": {"type": "string", "description": "The version of this representation."},
            "kind": {"type": "string", "description": "The kind of this representation."},
            "metadata": {**_META, "description": "Name, and namespace if there is one."},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "The end of the interval in which was measured.",
            },
            "window": {"type": "string", "description": "The length of the interval, as a duration."},
            **fields,
        },
        "x-kubernetes-group-version-kind": [{"group": "metrics.k8s.io", "version": "v1beta1", "kind": kind}],
    }


DEFINITIONS: Final[dict[str, JsonObject]] = {
    f"{_PREFIX}.ContainerMetrics": {
        "type": "object",
        "description": "What one container uses.",
        "required": ["name", "usage"],
        "properties": {
            "name": {"type": "string", "description": "The name of the container in its pod."},
            "usage": _USAGE,
        },
    },
    f"{_PREFIX}.NodeMetrics": _kind("NodeMetrics", "What a node uses.", usage=_USAGE),
    f"{_PREFIX}.PodMetrics": _kind(
        "PodMetrics",
        "What the containers of a pod use.",
        containers={
            "type": "array",
            "description": "The containers that run.",
            "items": {"$ref": f"{nodes.REFERENCE}{_PREFIX}.ContainerMetrics"},
        },
    ),
}
"""By the name under which a real server publishes them."""
