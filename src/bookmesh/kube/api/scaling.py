"""The subresource `scale`: the same few fields whatever kind is scaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bookmesh.base.kubernetes import JsonObject, conflict, copy_json
from bookmesh.kube.api import statuses
from bookmesh.kube.schema import kinds as kinds_module


def scale_of(kind: kinds_module.Kind, obj: JsonObject) -> JsonObject:
    """Build the `Scale` of an object."""
    fields = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    scale: JsonObject = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: fields[key] for key in kept if key in fields},
        "spec": {"replicas": _found(obj, kind.scale.spec_replicas) or 0},
        "status": {"replicas": _found(obj, kind.scale.status_replicas) or 0},
    }
    selector = _found(obj, kind.scale.selector) if kind.is_custom else (obj.get("spec") or {}).get("selector")
    text = selector if isinstance(selector, str) else selector_text(selector or {})
    if text:
        scale["status"]["selector"] = text
    return scale


def _found(obj: JsonObject, steps: Sequence[str]) -> Any:
    found: Any = obj if steps else None
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def with_replicas(kind: kinds_module.Kind, obj: JsonObject, replicas: int) -> JsonObject:
    """The object with another number of replicas, which is put in place."""
    place = obj
    for step in kind.scale.spec_replicas[:-1]:
        place = place.setdefault(step, {})
    place[kind.scale.spec_replicas[-1]] = replicas
    return obj


def scaled(kind: kinds_module.Kind, obj: JsonObject, scale: Any) -> JsonObject:
    """
    Build the object that a written `Scale` asks for.

    Raises:
        ApiError: 409 when the scale was read from an older state, 422 for a number of replicas that cannot be.
    """
    if not isinstance(scale, dict) or not isinstance(scale.get("spec") or {}, dict):
        raise statuses.bad_request("the body of the request is not a Scale object")
    name = obj["metadata"]["name"]
    version = (scale.get("metadata") or {}).get("resourceVersion")
    if version and version != obj["metadata"]["resourceVersion"]:
        why = "the object has been modified; please apply your changes to the latest version and try again"
        raise conflict(kind.resource, name, why)
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0:
        cause = statuses.Cause(
            "spec.replicas",
            "FieldValueInvalid",
            f"Invalid value: {replicas}: must be greater than or equal to 0",
        )
        raise statuses.invalid(group="autoscaling", kind="Scale", name=name, causes=[cause])
    return with_replicas(kind, copy_json(obj), replicas)


def selector_text(selector: JsonObject) -> str:
    """Write a label selector on one line, as `kubectl -l` takes it."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for requirement in selector.get("matchExpressions") or []:
        key, operator = requirement["key"], requirement["operator"]
        values = ",".join(requirement.get("values") or [])
        texts = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
        parts.append(texts.get(operator, f"!{key}"))
    return ",".join(parts)
