"""What a pod as a whole asks for: its containers together, or an init container that needs more while it runs."""

from __future__ import annotations

from typing import Any, Literal

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import amounts


def of_pod(spec: JsonObject, part: Literal["requests", "limits"]) -> dict[str, amounts.Amount]:
    """
    Add up the `requests` or `limits` of a pod specification, as schedulers and quotas do.

    Sidecars run beside the containers and beside every init container that starts after them.
    """
    running = [_of_container(container, part) for container in spec.get("containers") or ()]
    sidecars: list[dict[str, amounts.Amount]] = []
    starting: list[dict[str, amounts.Amount]] = []
    for container in spec.get("initContainers") or ():
        own = _of_container(container, part)
        if container.get("restartPolicy") == "Always":
            sidecars.append(own)
            starting.append(amounts.total(sidecars))
        else:
            starting.append(amounts.total([*sidecars, own]))
    together = amounts.largest([amounts.total([*running, *sidecars]), *starting])
    overhead = amounts.parse_all(spec.get("overhead"))
    return amounts.total([together, overhead]) if overhead else together


def _of_container(container: JsonObject, part: str) -> dict[str, amounts.Amount]:
    return amounts.parse_all((container.get("resources") or {}).get(part))


def quality_of_service(spec: JsonObject) -> str:
    """
    The class by which a node evicts: Guaranteed, Burstable or BestEffort.

    Guaranteed asks that every container limits both cpu and memory and requests just that.
    """
    requested = limited = False
    is_guaranteed = True
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        resources: dict[str, Any] = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        requested, limited = requested or bool(requests), limited or bool(limits)
        for name in ("cpu", "memory"):
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                is_guaranteed = False
    if not requested and not limited:
        return "BestEffort"
    return "Guaranteed" if is_guaranteed else "Burstable"
