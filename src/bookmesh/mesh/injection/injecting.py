"""
The front door: give a pod its proxy.

    settings = InjectionSettings(tag="1.28.0")
    pod = injecting.inject(pod, namespace_labels={"istio-injection": "enabled"}, settings=settings)

Idempotent: a pod that was injected, or shall not be, comes back as it is (the very same object).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from bookmesh.base import pods
from bookmesh.base.kubernetes import JsonObject, copy_json
from bookmesh.mesh.injection import containers, eligibility, interception
from bookmesh.mesh.injection import settings as settings_
from bookmesh.mesh.injection.settings import InjectionSettings
from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot import proxy_configs

SIDECAR: Final = "sidecar"
GATEWAY: Final = "gateway"


def inject(
    pod: JsonObject,
    *,
    namespace_labels: Mapping[str, str],
    settings: InjectionSettings,
    own: proxy_configs.ProxySettings | None = None,
) -> JsonObject:
    """
    Add the proxy if the labels of the pod and its namespace ask for one; `own` are settings of this pod's proxy.

    Raises:
        InjectionError: an annotation asks for what does not exist here, or cannot be read.
    """
    if not eligibility.needs_injection(pod, namespace_labels=namespace_labels, revision=settings.revision):
        return pod
    injected = copy_json(pod)
    template = template_for(injected)
    interception.check_annotations(injected)
    _check_proxy_config(injected)
    if template == GATEWAY:
        _add_gateway(injected, settings)
    else:
        _add_sidecar(injected, settings)
    if own is not None:
        _add_own(injected, own, settings)
    _add_volumes(injected)
    _add_metadata(injected, template, settings)
    return injected


def template_for(pod: JsonObject) -> str:
    """
    Tell which template the pod asks for: `sidecar` or `gateway`. Also tells the two apart after injection.

    Raises:
        InjectionError: it asks for another one, or for several.
    """
    name = ((pod["metadata"].get("annotations") or {}).get(settings_.TEMPLATES) or SIDECAR).strip()
    if name not in (SIDECAR, GATEWAY):
        raise settings_.InjectionError(
            f'annotation {settings_.TEMPLATES} asks for "{name}"; templates here are {SIDECAR} and {GATEWAY}'
        )
    return name


def _add_sidecar(pod: JsonObject, settings: InjectionSettings) -> None:
    spec = pod["spec"]
    container = containers.build_sidecar(pod, settings)
    for place in ("containers", "initContainers"):
        for theirs in [c for c in spec.get(place) or () if c["name"] == settings_.PROXY_CONTAINER]:
            container = containers.lay_over(container, theirs)
            spec[place].remove(theirs)
    if containers.is_native(pod):
        # First, so that the pod's own init containers already have the mesh.
        spec["initContainers"] = [container, *(spec.get("initContainers") or ())]
    else:
        spec["containers"].append(container)


def _add_gateway(pod: JsonObject, settings: InjectionSettings) -> None:
    spec = pod["spec"]
    container = containers.build_gateway(pod, settings)
    for position, theirs in enumerate(spec["containers"]):
        if theirs["name"] == settings_.PROXY_CONTAINER:
            spec["containers"][position] = containers.lay_over(container, theirs)
            return
    spec["containers"].append(container)


def _check_proxy_config(pod: JsonObject) -> None:
    """Refuse now what would keep the proxy from starting later."""
    try:
        proxy_configs.read_annotation(pod["metadata"].get("annotations") or {})
    except ValueError as error:
        raise settings_.InjectionError(str(error)) from error


def _add_own(pod: JsonObject, own: proxy_configs.ProxySettings, settings: InjectionSettings) -> None:
    """Variables, image and threads of this pod's proxy; what the pod says about its container wins."""
    spec = pod["spec"]
    for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
        if container["name"] != settings_.PROXY_CONTAINER:
            continue
        known = {variable["name"] for variable in container.get("env") or ()}
        more = [{"name": n, "value": value} for n, value in own.environment if n not in known]
        container["env"] = [*(container.get("env") or ()), *more]
        if own.image_type and container.get("image") == settings.image:
            container["image"] = f"{settings.image}-{own.image_type}"
        if (own.concurrency, own.drain_s) != (None, None) and not container.get("args"):
            container["args"] = list(containers.arguments(own.concurrency, own.drain_s))


def _add_volumes(pod: JsonObject) -> None:
    spec = pod["spec"]
    wanted = [
        {"name": settings_.PROXY_VOLUME, "csi": {"driver": settings_.CSI_DRIVER}},
        *containers.user_volumes(pod["metadata"].get("annotations") or {}),
    ]
    names = {volume["name"] for volume in wanted}
    spec["volumes"] = [v for v in spec.get("volumes") or () if v["name"] not in names] + wanted


def _add_metadata(pod: JsonObject, template: str, settings: InjectionSettings) -> None:
    """Labels and annotations that the pod has already are kept, as Istio does."""
    metadata, spec = pod["metadata"], pod["spec"]
    workload = workloads.build_workload(pod, ip="")
    labels = {
        workloads.CANONICAL_NAME_LABEL: workload.canonical_name or containers.workload_name(pod),
        workloads.CANONICAL_REVISION_LABEL: workload.canonical_revision,
    }
    annotations = {
        settings_.REVISION: settings.revision,
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "15090",
        "prometheus.io/path": "/stats/prometheus",
        settings_.STATUS: _status(pod, settings),
    }
    if template == SIDECAR:
        labels[workloads.TLS_MODE_LABEL] = "istio"
        if not containers.is_native(pod):
            annotations[pods.COMPANIONS_ANNOTATION] = settings_.PROXY_CONTAINER
        annotations["kubectl.kubernetes.io/default-container"] = spec["containers"][0]["name"]
        annotations["kubectl.kubernetes.io/default-logs-container"] = spec["containers"][0]["name"]
    metadata["labels"] = {**labels, **(metadata.get("labels") or {})}
    metadata["annotations"] = {**annotations, **(metadata.get("annotations") or {})}


def _status(pod: JsonObject, settings: InjectionSettings) -> str:
    """What was added, in the form tools look for."""
    spec = pod["spec"]
    is_init = any(c["name"] == settings_.PROXY_CONTAINER for c in spec.get("initContainers") or ())
    place = "initContainers" if is_init else "containers"
    status = {
        "initContainers": [],
        "containers": [],
        place: [settings_.PROXY_CONTAINER],
        "volumes": [
            v["name"] for v in spec["volumes"] if v.get("csi", {}).get("driver") == settings_.CSI_DRIVER
        ],
        "imagePullSecrets": None,
        "revision": settings.revision,
    }
    return orjson.dumps(status).decode()
