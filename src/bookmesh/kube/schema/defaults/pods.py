"""Pods and pod templates."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema.defaults.filling import child, fill, objects

_FILE_MODE: Final = 0o644
_TOKEN_LIFETIME_S: Final = 3600
_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")


def fill_pod(pod: JsonObject) -> None:
    """Fill a Pod."""
    spec = pod["spec"]
    fill_spec(spec)
    fill(spec, enableServiceLinks=True)
    for container in (*objects(spec, "initContainers"), *objects(spec, "containers")):
        resources = container["resources"]
        if resources.get("limits"):  # a limit without a request asks for all of it
            requests = child(resources, "requests")
            for name, limit in resources["limits"].items():
                requests.setdefault(name, limit)
    fill(child(pod, "status"), phase="Pending")


def fill_spec(spec: JsonObject) -> None:
    """Fill a pod specification, alone or in a template."""
    fill(
        spec,
        restartPolicy="Always",
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        terminationGracePeriodSeconds=30,
        securityContext={},
    )
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:  # the same field under its old and its new name
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for field in _CONTAINERS:
        for container in objects(spec, field):
            _fill_container(container, on_host_network=bool(spec.get("hostNetwork")))
    for volume in objects(spec, "volumes"):
        _fill_volume(volume)


def _fill_container(container: JsonObject, *, on_host_network: bool) -> None:
    fill(
        container,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=pull_policy_for(container.get("image", "")),
        resources={},
    )
    for port in objects(container, "ports"):
        fill(port, protocol="TCP")
        if on_host_network and not port.get("hostPort") and "containerPort" in port:
            port["hostPort"] = port["containerPort"]
    for variable in objects(container, "env"):
        _fill_reference(variable.get("valueFrom") or {})
    for name in _PROBES:
        if container.get(name):
            _fill_probe(container[name])
    lifecycle = container.get("lifecycle") or {}
    for event in ("postStart", "preStop"):
        if (lifecycle.get(event) or {}).get("httpGet") is not None:
            fill(lifecycle[event]["httpGet"], path="/", scheme="HTTP")


def pull_policy_for(image: str) -> str:
    """Pick `Always` for the tag `latest`, given or implied, and `IfNotPresent` for every other tag and for digests."""
    last = image.rpartition("/")[2]
    if "@" in last:
        return "IfNotPresent"
    return "Always" if last.partition(":")[2] in ("", "latest") else "IfNotPresent"


def _fill_probe(probe: JsonObject) -> None:
    for key, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        if not probe.get(key):  # zero means the default, too
            probe[key] = value
    if probe.get("httpGet") is not None:
        fill(probe["httpGet"], path="/", scheme="HTTP")
    if probe.get("grpc") is not None:
        probe["grpc"].setdefault("service", "")


def _fill_reference(source: JsonObject) -> None:
    if source.get("fieldRef") is not None:
        fill(source["fieldRef"], apiVersion="v1")
    if source.get("resourceFieldRef") is not None:
        fill(source["resourceFieldRef"], divisor="0")


def _fill_volume(volume: JsonObject) -> None:
    if not any(value is not None for key, value in volume.items() if key != "name"):
        volume["emptyDir"] = {}
    for kind in ("secret", "configMap", "downwardAPI", "projected"):
        if volume.get(kind) is not None:
            fill(volume[kind], defaultMode=_FILE_MODE)
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")
    for item in objects(volume.get("downwardAPI") or {}, "items"):
        _fill_reference(item)
    for source in objects(volume.get("projected") or {}, "sources"):
        if source.get("serviceAccountToken") is not None:
            fill(source["serviceAccountToken"], expirationSeconds=_TOKEN_LIFETIME_S)
        for item in objects(source.get("downwardAPI") or {}, "items"):
            _fill_reference(item)
