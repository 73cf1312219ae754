"""
The proxy's container, as a native sidecar or as the whole of a gateway pod.

A container named istio-proxy that the pod brings along is laid over ours: that is how Istio lets people change
resources, add mounts or set variables. Image `auto` means ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.injection import interception
from bookmesh.mesh.injection import settings as settings_
from bookmesh.mesh.injection.settings import InjectionSettings
from bookmesh.mesh.registry import workloads

# To mark its own packets, which the pod's redirection lets pass.
_CAPABILITIES: Final = {"add": ["NET_ADMIN"], "drop": ["ALL"]}
_DRAIN_S: Final = 5
# What identifies an item when one list of a container is laid over another.
_ITEM_KEYS: Final = {"env": "name", "volumeMounts": "mountPath", "ports": "containerPort"}


def build_sidecar(pod: JsonObject, settings: InjectionSettings) -> JsonObject:
    """
    Build the sidecar. As a native one it is an init container that keeps running, else an ordinary container.

    Either way every other container, init containers included, starts after its startup probe has passed.
    """
    container = _build_proxy(pod, settings)
    if is_native(pod):
        container["restartPolicy"] = "Always"
    container["env"] += [
        _value("ISTIO_META_APP_CONTAINERS", ",".join(c["name"] for c in _user_containers(pod))),
        _value("ISTIO_META_INTERCEPTION_MODE", interception.mode_of(pod)),
        _value("ISTIO_META_POD_PORTS", orjson.dumps(_pod_ports(pod)).decode()),
    ]
    return container


def arguments(concurrency: int | None = None, drain_s: int | None = None) -> tuple[str, ...]:
    """
    The flags of a proxy that people may choose, by default one thread, and a drain that fits inside of a pod's grace
    period. Envoy counts CPUs where it is not told a number of threads.
    """
    threads = ("--cpuset-threads",) if concurrency == 0 else ("--concurrency", str(concurrency or 1))
    return (*threads, "--drain-time-s", str(drain_s or _DRAIN_S))


def is_native(pod: JsonObject) -> bool:
    """
    Whether the pod wants its proxy as a native sidecar.

    Raises:
        InjectionError: the annotation says neither true nor false.
    """
    annotations: Mapping[str, str] = pod["metadata"].get("annotations") or {}
    text = annotations.get(settings_.NATIVE, "false").strip().lower()
    if text not in ("true", "false"):
        raise settings_.InjectionError(f'annotation {settings_.NATIVE} is "{text}"; it is true or false')
    return text == "true"


def build_gateway(pod: JsonObject, settings: InjectionSettings) -> JsonObject:
    """Build the container of a gateway: an ordinary one, around which nothing is redirected."""
    return _build_proxy(pod, settings)


def lay_over(ours: JsonObject, theirs: Mapping[str, Any]) -> JsonObject:
    """
    Lay the pod's own istio-proxy container over ours: lists merge by name, path or port; the rest replaces.

    Theirs was defaulted already: what is empty says nothing, and with image `auto` neither does the pull policy. A
    proxy keeps the capabilities that it needs.
    """
    merged = dict(ours)
    is_auto = theirs.get("image") == "auto"
    for key, value in theirs.items():
        if not value or (is_auto and key in ("image", "imagePullPolicy")):
            continue
        if key in _ITEM_KEYS:
            merged[key] = _merge_items(_ITEM_KEYS[key], ours.get(key) or [], value)
        elif key == "securityContext":
            merged[key] = {**value, "capabilities": _CAPABILITIES}
        else:
            merged[key] = value
    return merged


def _build_proxy(pod: JsonObject, settings: InjectionSettings) -> JsonObject:
    annotations: Mapping[str, str] = pod["metadata"].get("annotations") or {}
    return {
        "name": settings_.PROXY_CONTAINER,
        "image": annotations.get("sidecar.istio.io/proxyImage", settings.image),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http-envoy-prom", "containerPort": 15090, "protocol": "TCP"}],
        "env": _environment(pod, settings),
        "resources": _resources(annotations, settings),
        # Whoever the pod's processes are: the proxy marks its own packets, and only root may.
        "securityContext": {
            "runAsUser": 0,
            "runAsGroup": 0,
            "runAsNonRoot": False,
            "allowPrivilegeEscalation": False,
            "capabilities": _CAPABILITIES,
        },
        "startupProbe": _probe(period_s=1, failures=600),
        "readinessProbe": _probe(period_s=15, failures=4),
        "volumeMounts": [
            {"name": settings_.PROXY_VOLUME, "mountPath": settings_.PROXY_DIRECTORY},
            *_user_mounts(annotations),
        ],
    }


def user_volumes(annotations: Mapping[str, str]) -> list[JsonObject]:
    """
    Volumes that the pod wants for its proxy alone.

    Raises:
        InjectionError: the annotation is not JSON of that form.
    """
    return _items(annotations, "sidecar.istio.io/userVolume")


def _user_mounts(annotations: Mapping[str, str]) -> list[JsonObject]:
    return _items(annotations, "sidecar.istio.io/userVolumeMount")


def _items(annotations: Mapping[str, str], name: str) -> list[JsonObject]:
    """Istio takes a list of objects with a name, or a mapping from names to objects."""
    text = annotations.get(name)
    if not text:
        return []
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise settings_.InjectionError(f"annotation {name} is not JSON: {error}") from error
    if isinstance(parsed, dict):
        parsed = [
            {"name": key, **value} if isinstance(value, dict) else value for key, value in parsed.items()
        ]
    if not isinstance(parsed, list) or not all(isinstance(item, dict) and "name" in item for item in parsed):
        raise settings_.InjectionError(
            f"annotation {name} is neither a list of named objects nor a mapping of them"
        )
    return parsed


def _environment(pod: JsonObject, settings: InjectionSettings) -> list[JsonObject]:
    workload = workloads.build_workload(pod, ip="")
    namespace, name = workload.namespace, workload_name(pod)
    owner = f"kubernetes://apis/{_owner_path(pod)}/namespaces/{namespace}"
    return [
        _field("POD_NAME", "metadata.name"),
        _field("POD_NAMESPACE", "metadata.namespace"),
        _field("INSTANCE_IP", "status.podIP"),
        _field("SERVICE_ACCOUNT", "spec.serviceAccountName"),
        _field("HOST_IP", "status.hostIP"),
        _field("ISTIO_META_NODE_NAME", "spec.nodeName"),
        _value("ISTIO_META_CLUSTER_ID", settings.cluster_id),
        _value("ISTIO_META_MESH_ID", settings.mesh_id),
        _value("ISTIO_META_WORKLOAD_NAME", name),
        _value("ISTIO_META_OWNER", f"{owner}/{_owner_plural(pod)}/{name}"),
        _value("TRUST_DOMAIN", settings.trust_domain),
    ]


def workload_name(pod: JsonObject) -> str:
    """Name of what the pod belongs to; a pod of its own has its name, or what its name will be made from."""
    generated = str(pod["metadata"].get("generateName", "")).rstrip("-")
    return workloads.build_workload(pod, ip="").name or generated


def _owner(pod: JsonObject) -> JsonObject:
    owners = pod["metadata"].get("ownerReferences") or ()
    found: JsonObject = next((owner for owner in owners if owner.get("controller", True)), {})
    return found


def _owner_path(pod: JsonObject) -> str:
    return str(_owner(pod).get("apiVersion", "v1"))


def _owner_plural(pod: JsonObject) -> str:
    kind = str(_owner(pod).get("kind", "Pod"))
    # A ReplicaSet with the template hash in its name belongs to a Deployment.
    is_deployment = kind == "ReplicaSet" and "pod-template-hash" in (pod["metadata"].get("labels") or {})
    return "deployments" if is_deployment else f"{kind.lower()}s"


def _resources(annotations: Mapping[str, str], settings: InjectionSettings) -> JsonObject:
    requests = {
        "cpu": annotations.get("sidecar.istio.io/proxyCPU", settings.cpu),
        "memory": annotations.get("sidecar.istio.io/proxyMemory", settings.memory),
    }
    limits = {
        "cpu": annotations.get("sidecar.istio.io/proxyCPULimit"),
        "memory": annotations.get("sidecar.istio.io/proxyMemoryLimit"),
    }
    given = {key: value for key, value in limits.items() if value}
    return {"requests": requests, **({"limits": given} if given else {})}


def _probe(*, period_s: int, failures: int) -> JsonObject:
    return {
        "httpGet": {"path": "/healthz/ready", "port": 15021, "scheme": "HTTP"},
        "periodSeconds": period_s,
        "timeoutSeconds": 3,
        "successThreshold": 1,
        "failureThreshold": failures,
    }


def _user_containers(pod: JsonObject) -> list[JsonObject]:
    return [c for c in pod["spec"]["containers"] if c["name"] != settings_.PROXY_CONTAINER]


def _pod_ports(pod: JsonObject) -> list[JsonObject]:
    return [
        {key: port[key] for key in ("name", "containerPort", "protocol") if key in port}
        for container in _user_containers(pod)
        for port in container.get("ports") or ()
    ]


def _merge_items(key: str, ours: list[JsonObject], theirs: list[JsonObject]) -> list[JsonObject]:
    named = {item.get(key): item for item in theirs}
    return [named.pop(item.get(key), item) for item in ours] + list(named.values())


def _value(name: str, value: str) -> JsonObject:
    return {"name": name, "value": value}


def _field(name: str, path: str) -> JsonObject:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
