"""Objects that are for some workloads: two for the same one, several for all, or one for none. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from bookmesh.cli.istioctl.analyzers import messages
from bookmesh.cli.istioctl.analyzers import objects as objects_
from bookmesh.cli.istioctl.analyzers.messages import Message
from bookmesh.cli.istioctl.analyzers.objects import JsonObject, Objects

# kind -> (where its selector is, codes of two for one pod and of two for all, its plural)
_EXCLUSIVE: Final = {
    "Sidecar": (("workloadSelector", "labels"), "IST0110", "IST0111", "Sidecars"),
    "Telemetry": (("selector", "matchLabels"), "IST0159", "IST0160", "Telemetries"),
}
_SELECTING: Final = {
    "Sidecar": ("workloadSelector", "labels"),
    "EnvoyFilter": ("workloadSelector", "labels"),
    "AuthorizationPolicy": ("selector", "matchLabels"),
    "PeerAuthentication": ("selector", "matchLabels"),
    "RequestAuthentication": ("selector", "matchLabels"),
    "Telemetry": ("selector", "matchLabels"),
    "WasmPlugin": ("selector", "matchLabels"),
}
_ROOT_NAMESPACE: Final = "istio-system"


def check(objects: Objects) -> Iterator[Message]:
    """IST0110, IST0111, IST0127, IST0159 and IST0160."""
    for kind, (path, twice, for_all, plural) in _EXCLUSIVE.items():
        yield from _check_shared(objects, kind, path, twice, plural)
        yield from _check_general(objects, kind, path, for_all, plural)
    for kind, path in _SELECTING.items():
        for each in objects.of(kind):
            yield from _check_matching(each, path, objects)


def _selector(found: JsonObject, path: tuple[str, str]) -> dict[str, str]:
    return ((found.get("spec") or {}).get(path[0]) or {}).get(path[1]) or {}


def _check_shared(
    objects: Objects, kind: str, path: tuple[str, str], code: str, plural: str
) -> Iterator[Message]:
    for owner, template in objects.workloads():
        namespace = owner["metadata"]["namespace"]
        labels = (template.get("metadata") or {}).get("labels") or {}
        same = [
            each
            for each in objects.of(kind)
            if each["metadata"]["namespace"] == namespace and objects_.selects(_selector(each, path), labels)
        ]
        if len(same) < 2:
            continue
        names = messages.listed(sorted(each["metadata"]["name"] for each in same))
        text = (
            f'The {plural} {names} in namespace "{namespace}" select the same workload pod '
            f'"{owner["metadata"]["name"]}", which can lead to undefined behavior.'
        )
        for each in same:
            yield messages.about(each, "Error", code, text, f"spec.{path[0]}")


def _check_general(
    objects: Objects, kind: str, path: tuple[str, str], code: str, plural: str
) -> Iterator[Message]:
    general: dict[str, list[JsonObject]] = defaultdict(list)
    for each in objects.of(kind):
        if not _selector(each, path) and not (each.get("spec") or {}).get("targetRefs"):
            general[each["metadata"]["namespace"]].append(each)
    for namespace, found in general.items():
        if len(found) < 2:
            continue
        names = messages.listed(sorted(each["metadata"]["name"] for each in found))
        text = (
            f'The {plural} {names} in namespace "{namespace}" have no workload selector, which can lead to undefined '
            "behavior."
        )
        for each in found:
            yield messages.about(each, "Error", code, text)


def _check_matching(found: JsonObject, path: tuple[str, str], objects: Objects) -> Iterator[Message]:
    """In the root namespace a selector is about the pods of all."""
    selector, namespace = _selector(found, path), found["metadata"]["namespace"]
    running = objects.labels_in(None if namespace == _ROOT_NAMESPACE else namespace)
    if selector and not any(objects_.selects(selector, labels) for labels in running):
        shown = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
        text = f"No matching workloads for this resource with the following labels: {shown}"
        yield messages.about(found, "Warning", "IST0127", text, f"spec.{path[0]}.{path[1]}")
