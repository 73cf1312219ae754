"""Sidecars that are missing, and namespaces that do not say whether they want them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bookmesh.cli.istioctl.analyzers import messages
from bookmesh.cli.istioctl.analyzers.messages import Message
from bookmesh.cli.istioctl.analyzers.objects import JsonObject, Objects

_QUIET_NAMESPACES: Final = frozenset({"kube-system", "kube-public", "kube-node-lease", "istio-system"})
_INJECTION: Final = "istio-injection"
_REVISION: Final = "istio.io/rev"
_STATUS: Final = "sidecar.istio.io/status"
_INJECT: Final = "sidecar.istio.io/inject"
_PROXY_UID: Final = 1337


def check(objects: Objects) -> Iterator[Message]:
    """IST0102, IST0103, IST0123 and IST0144."""
    enabled = set()
    for namespace in objects.of("Namespace"):
        labels = namespace["metadata"].get("labels") or {}
        if labels.get(_INJECTION) == "enabled" or _REVISION in labels:
            enabled.add(namespace["metadata"]["name"])
        yield from _check_namespace(namespace)
    for pod in objects.of("Pod"):
        if pod["metadata"]["namespace"] in enabled:
            yield from _check_pod(pod)
    for owner, template in objects.workloads():
        if _runs_as_proxy(template):
            text = "User ID (UID) 1337 is reserved for the sidecar proxy."
            yield messages.about(owner, "Warning", "IST0144", text)


def _check_namespace(namespace: JsonObject) -> Iterator[Message]:
    name, labels = namespace["metadata"]["name"], namespace["metadata"].get("labels") or {}
    if _INJECTION in labels and _REVISION in labels:
        found = messages.listed([_INJECTION, _REVISION])
        text = (
            f"The namespace has more than one type of injection labels {found}, which may lead to undefined behavior. "
            "Make sure only one injection label exists."
        )
        yield messages.about(namespace, "Warning", "IST0123", text)
    elif name not in _QUIET_NAMESPACES and _INJECTION not in labels and _REVISION not in labels:
        label = f"kubectl label namespace {name} {_INJECTION}"
        text = (
            f"The namespace is not enabled for Istio injection. Run '{label}=enabled' to enable it, or "
            f"'{label}=disabled' to explicitly mark it as not needing injection."
        )
        yield messages.about(namespace, "Info", "IST0102", text)


def _check_pod(pod: JsonObject) -> Iterator[Message]:
    metadata = pod["metadata"]
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    wish = labels.get(_INJECT) or annotations.get(_INJECT)
    is_over = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if _STATUS not in annotations and wish != "false" and not is_over:
        name = f"{metadata['namespace']}/{metadata['name']}"
        text = (
            f"The pod {name} is missing the Istio proxy. This can often be resolved by restarting or redeploying the "
            "workload."
        )
        yield messages.about(pod, "Warning", "IST0103", text)


def _runs_as_proxy(template: JsonObject) -> bool:
    spec = template.get("spec") or {}
    if (spec.get("securityContext") or {}).get("runAsUser") == _PROXY_UID:
        return True
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return any(
        each.get("name") not in ("istio-proxy", "istio-init")
        and (each.get("securityContext") or {}).get("runAsUser") == _PROXY_UID
        for each in containers
    )
