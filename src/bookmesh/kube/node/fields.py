"""
What a container may ask about its own pod: `fieldRef` and `resourceFieldRef`. Pure.

Used by environment variables and by downwardAPI volumes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import quantities

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_PLAIN: Mapping[str, tuple[str, str]] = {
    "metadata.name": ("metadata", "name"),
    "metadata.namespace": ("metadata", "namespace"),
    "metadata.uid": ("metadata", "uid"),
    "spec.nodeName": ("spec", "nodeName"),
    "spec.serviceAccountName": ("spec", "serviceAccountName"),
    "status.hostIP": ("status", "hostIP"),
    "status.podIP": ("status", "podIP"),
}
_LISTS = {"status.hostIPs": "hostIPs", "status.podIPs": "podIPs"}


def field_value(pod: JsonObject, path: str) -> str:
    """
    Look up a `fieldRef.fieldPath`.

    Returns:
        The text; "" for a label or annotation that the pod does not have. All labels or all annotations come as
        sorted lines `key="value"`.

    Raises:
        ValueError: a pod has no such field, or it may not be asked for.
    """
    if path in _PLAIN:
        part, name = _PLAIN[path]
        return str((pod.get(part) or {}).get(name) or "")
    if path in _LISTS:
        return ",".join(item["ip"] for item in (pod.get("status") or {}).get(_LISTS[path]) or [])
    if match := _SUBSCRIPT.fullmatch(path):
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        entries = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={orjson.dumps(entries[key]).decode()}" for key in sorted(entries))
    raise ValueError(f"unsupported fieldPath: {path}")


def resource_value(
    pod: JsonObject, reference: JsonObject, *, container: str | None, allocatable: Mapping[str, str]
) -> str:
    """
    Look up a `resourceFieldRef`, rounded up to whole divisors.

    A limit that is not set is what the node has; a request that is not set is 0.

    Raises:
        ValueError: no such container, or the resource is not one that may be asked for.
    """
    name = reference.get("containerName") or container
    spec = pod["spec"]
    parts = ("containers", "initContainers", "ephemeralContainers")
    containers = [each for part in parts for each in spec.get(part) or []]
    owner = next((item for item in containers if item["name"] == name), None)
    if owner is None:
        raise ValueError(f"container {name} not found")
    kind, _, resource = reference["resource"].partition(".")
    if kind not in ("limits", "requests") or not resource:
        raise ValueError(f"unsupported container resource : {reference['resource']}")
    listed = ((owner.get("resources") or {}).get(kind) or {}).get(resource)
    default = allocatable.get(resource, "0") if kind == "limits" else "0"
    quantity = quantities.parse_quantity(listed if listed is not None else default)
    divisor = quantities.parse_quantity(reference.get("divisor") or "1")
    return str(quantities.divide_up(quantity, divisor or Decimal(1)))
