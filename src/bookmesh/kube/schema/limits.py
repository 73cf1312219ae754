"""LimitRanges: what a container gets that names no resources of its own, and which sizes are refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import amounts, pod_resources
from bookmesh.kube.schema.amounts import Amount, Amounts

ANNOTATION = "kubernetes.io/limit-ranger"


def fill_pod(pod: JsonObject, ranges: Iterable[JsonObject]) -> None:
    """Give each container the defaults of the ranges for what it does not say; noted in an annotation. In place."""
    notes: list[str] = []
    for item in _items(ranges, "Container"):
        for kind, field in (("container", "containers"), ("init container", "initContainers")):
            for container in pod["spec"].get(field) or ():
                for part, defaults in (("request", "defaultRequest"), ("limit", "default")):
                    filled = _fill(container, f"{part}s", item.get(defaults) or {})
                    if filled:
                        notes.append(f"{', '.join(filled)} {part} for {kind} {container['name']}")
    if notes:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations[ANNOTATION] = f"LimitRanger plugin set: {'; '.join(notes)}"


def check_pod(pod: JsonObject, ranges: Iterable[JsonObject]) -> list[str]:
    """Say what is wrong with the sizes of a pod and its containers, in the words of a real server."""
    spec, listed, found = pod["spec"], list(ranges), []
    for item in _items(listed, "Container"):
        for container in (*spec["containers"], *(spec.get("initContainers") or ())):
            resources = container.get("resources") or {}
            found += _check(
                item,
                amounts.parse_all(resources.get("requests")),
                amounts.parse_all(resources.get("limits")),
            )
    for item in _items(listed, "Pod"):
        found += _check(item, pod_resources.of_pod(spec, "requests"), pod_resources.of_pod(spec, "limits"))
    return found


def check_claim(claim: JsonObject, ranges: Iterable[JsonObject]) -> list[str]:
    """Say what is wrong with the size that a volume claim asks for."""
    requests = amounts.parse_all(((claim.get("spec") or {}).get("resources") or {}).get("requests"))
    found = []
    for item in _items(ranges, "PersistentVolumeClaim"):
        for name, least in amounts.parse_all(item.get("min")).items():
            found += _too_small(name, item["type"], least, requests.get(name), None)
        for name, most in amounts.parse_all(item.get("max")).items():
            if name not in requests:
                found.append(f"maximum {name} usage per {item['type']} is {most}. No request is specified")
            elif requests[name].value > most.value:
                found.append(
                    f"maximum {name} usage per {item['type']} is {most}, but request is {requests[name]}"
                )
    return found


def _items(ranges: Iterable[JsonObject], kind: str) -> Iterator[JsonObject]:
    for each in ranges:
        for item in (each.get("spec") or {}).get("limits") or ():
            if item["type"] == kind:
                yield item


def _fill(container: JsonObject, part: str, defaults: JsonObject) -> list[str]:
    """Returns the names that were filled in, sorted."""
    resources = container.get("resources") or {}
    own = resources.get(part) or {}
    missing = {name: value for name, value in defaults.items() if name not in own}
    if missing:
        container["resources"] = {**resources, part: {**own, **missing}}
    return sorted(missing)


def _check(item: JsonObject, requests: Amounts, limits: Amounts) -> list[str]:
    kind, found = item["type"], []
    for name, least in amounts.parse_all(item.get("min")).items():
        found += _too_small(name, kind, least, requests.get(name), limits.get(name))
    for name, most in amounts.parse_all(item.get("max")).items():
        found += _too_large(name, kind, most, requests.get(name), limits.get(name))
    for name, ratio in amounts.parse_all(item.get("maxLimitRequestRatio")).items():
        found += _too_far(name, kind, ratio, requests.get(name), limits.get(name))
    return found


def _too_small(
    name: str, kind: str, least: Amount, request: Amount | None, limit: Amount | None
) -> list[str]:
    bound = f"minimum {name} usage per {kind} is {least}"
    if request is None:
        return [f"{bound}. No request is specified"]
    if request.value < least.value:
        return [f"{bound}, but request is {request}"]
    if limit is not None and limit.value < least.value:
        return [f"{bound}, but limit is {limit}"]
    return []


def _too_large(name: str, kind: str, most: Amount, request: Amount | None, limit: Amount | None) -> list[str]:
    bound = f"maximum {name} usage per {kind} is {most}"
    if limit is None:
        return [f"{bound}. No limit is specified"]
    if limit.value > most.value:
        return [f"{bound}, but limit is {limit}"]
    if request is not None and request.value > most.value:
        return [f"{bound}, but request is {request}"]
    return []


def _too_far(name: str, kind: str, ratio: Amount, request: Amount | None, limit: Amount | None) -> list[str]:
    bound = f"{name} max limit to request ratio per {kind} is {ratio}"
    if request is None or not request.value:
        return [f"{bound}, but no request is specified or request is 0"]
    if limit is None or not limit.value:
        return [f"{bound}, but no limit is specified or limit is 0"]
    observed = limit.value / request.value
    return [f"{bound}, but provided ratio is {float(observed):f}"] if observed > ratio.value else []
