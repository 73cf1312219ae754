"""
Values of an installation that injection acts on: ConfigMap `istio-sidecar-injector`, as `istioctl install` writes it.

    values.global.proxy.includeIPRanges and the like: what pods without the annotation of that name get
    values.pilot.env.ENABLE_NATIVE_SIDECARS: whether proxies are native sidecars

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.mesh.injection import injecting
from bookmesh.mesh.injection import settings as injection_settings
from bookmesh.mesh.injection.settings import InjectionSettings
from bookmesh.mesh.snapshot import proxy_configs

CONFIG_MAP: Final = "istio-sidecar-injector"
NAMESPACE: Final = "istio-system"
_NATIVE_SIDECARS: Final = "ENABLE_NATIVE_SIDECARS"
_ANNOTATIONS: Final = {
    "includeIPRanges": "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "excludeIPRanges": "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "excludeInboundPorts": "traffic.sidecar.istio.io/excludeInboundPorts",
    "excludeOutboundPorts": "traffic.sidecar.istio.io/excludeOutboundPorts",
}


def read_annotations(config_map: JsonObject | None) -> dict[str, str]:
    """
    Annotations that pods get which do not have them; none without a ConfigMap.

    Raises:
        ValueError: its `values` are not JSON objects down to `global.proxy` and `pilot.env`.
    """
    values: Any = orjson.loads((config_map or {}).get("data", {}).get("values") or "{}")
    proxy, environment = _below(values, "global", "proxy"), _below(values, "pilot", "env")
    found = {
        annotation: str(proxy[name])
        for name, annotation in _ANNOTATIONS.items()
        if proxy.get(name) is not None
    }
    if environment.get(_NATIVE_SIDECARS) is not None:
        is_native = str(environment[_NATIVE_SIDECARS]).lower() in ("true", "auto")
        found[injection_settings.NATIVE] = str(is_native).lower()
    return found


def _below(values: Any, *steps: str) -> dict[str, Any]:
    """The object at a path; empty when there is none. ValueError when something else is on the way."""
    for step in steps:
        if not isinstance(values, dict):
            raise ValueError(f"ConfigMap {NAMESPACE}/{CONFIG_MAP}: values are no JSON object at {step}")
        values = values.get(step) or {}
    if not isinstance(values, dict):
        raise ValueError(f"ConfigMap {NAMESPACE}/{CONFIG_MAP}: values are no JSON object at {steps[-1]}")
    return values


def inject(
    pod: JsonObject,
    annotations: Mapping[str, str],
    *,
    namespace_labels: Mapping[str, str],
    settings: InjectionSettings,
    own: proxy_configs.ProxySettings | None = None,
) -> JsonObject:
    """
    Inject with the mesh's own annotations below those of the pod; `own` are settings of this pod's proxy.

    Returns:
        The very `pod` when it gets no proxy.

    Raises:
        InjectionError: an annotation cannot be honoured.
    """
    annotated = pod
    if annotations:
        annotated = copy_json(pod)
        annotated["metadata"]["annotations"] = {
            **annotations,
            **(annotated["metadata"].get("annotations") or {}),
        }
    injected = injecting.inject(annotated, namespace_labels=namespace_labels, settings=settings, own=own)
    return pod if injected is annotated else injected
