"""
Which pods get a proxy: Istio's webhook selectors and the injector's own checks as one decision.

A namespace opts in with `istio-injection: enabled`, or with `istio.io/rev` naming our revision; a pod opts out, or in
where its namespace says nothing, with the label `sidecar.istio.io/inject`. `istio-injection: disabled` is final.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.injection import settings as settings_

SYSTEM_NAMESPACES: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})


def needs_injection(pod: JsonObject, *, namespace_labels: Mapping[str, str], revision: str) -> bool:
    """Decide for a pod as it is created. A pod that was injected already needs nothing."""
    metadata = pod["metadata"]
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    if settings_.STATUS in annotations or pod["spec"].get("hostNetwork"):
        return False
    if metadata.get("namespace") in SYSTEM_NAMESPACES:
        return False
    labels: Mapping[str, str] = metadata.get("labels") or {}
    wish = labels.get(settings_.INJECT) or annotations.get(settings_.INJECT, "")
    if wish == "false":
        return False
    injection = namespace_labels.get(settings_.NAMESPACE_INJECTION)
    if injection is not None:
        return injection == "enabled"
    if settings_.REVISION in namespace_labels:
        return namespace_labels[settings_.REVISION] == revision
    if settings_.REVISION in labels:
        return labels[settings_.REVISION] == revision
    return wish == "true"
