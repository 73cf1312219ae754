"""Indexed Jobs: which numbers still need a pod, and what a pod is told of its number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import pods

INDEX: Final = "batch.kubernetes.io/job-completion-index"
VARIABLE: Final = "JOB_COMPLETION_INDEX"


def is_indexed(job: JsonObject) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def of_pod(pod: JsonObject) -> int | None:
    """The number of a pod; None when it has none."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdecimal() else None


def missing(job: JsonObject, owned: Sequence[JsonObject], count: int) -> list[int | None]:
    """Pick the numbers of the next `count` pods, lowest first; None for each in a Job without numbers."""
    if not is_indexed(job):
        return [None] * count
    taken = {of_pod(pod) for pod in owned if pods.is_active(pod)} | completed(job, owned)
    free = (number for number in range(job["spec"]["completions"]) if number not in taken)
    return [number for number, _ in zip(free, range(count), strict=False)]


def completed(job: JsonObject, owned: Iterable[JsonObject]) -> set[int]:
    """The numbers that have succeeded, as reported and as seen now."""
    reported = parse_ranges((job.get("status") or {}).get("completedIndexes") or "")
    seen = (of_pod(pod) for pod in owned if pods.phase(pod) == "Succeeded")
    return reported | {number for number in seen if number is not None}


def parse_ranges(text: str) -> set[int]:
    """Read `0,2-4` as numbers."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def format_ranges(numbers: Iterable[int]) -> str:
    """Write numbers as `0,2-4`; two neighbours are two numbers."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    texts = [f"{part[0]}-{part[-1]}" if len(part) > 2 else ",".join(map(str, part)) for part in parts]
    return ",".join(texts)


def numbered(spec: JsonObject, index: int, *, host_name: str) -> JsonObject:
    """The specification of a pod that knows its number, as variable and as host name."""
    variable = {
        "name": VARIABLE,
        "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX}']"}},
    }

    def told(container: dict[str, Any]) -> dict[str, Any]:
        known = container.get("env") or []
        if any(each["name"] == VARIABLE for each in known):
            return container
        return {**container, "env": [*known, variable]}

    result = {**spec, "containers": [told(each) for each in spec["containers"]]}
    if spec.get("initContainers"):
        result["initContainers"] = [told(each) for each in spec["initContainers"]]
    result.setdefault("hostname", host_name)
    return result
