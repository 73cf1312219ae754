"""Which pods stand behind a Service, at which address and ports, and in which state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bookmesh.base.kubernetes import PODS, SERVICES, JsonObject, Resource
from bookmesh.kube.controllers import informers, pods, runner, selectors


@dataclass(frozen=True, slots=True)
class Address:
    """
    One pod behind a Service.

    `is_ready`: new traffic may go there. A pod on its way out is not ready from the moment its deletion was asked
    for, though it may still serve (`is_serving`). `ports` are those of the Service that the pod has, in its order.
    """

    pod: JsonObject
    ip: str
    ports: tuple[Port, ...]
    is_ready: bool
    is_serving: bool
    is_terminating: bool
    hostname: str


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a Service as one pod has it: `number` is the pod's."""

    name: str
    number: int
    protocol: str
    app_protocol: str


def has_endpoints(service: JsonObject) -> bool:
    """Tell whether endpoints of this Service are ours to write: it selects pods."""
    spec = service["spec"]
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName"


def is_headless(service: JsonObject) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def addresses_of(service: JsonObject, candidates: Iterable[JsonObject]) -> tuple[Address, ...]:
    """Find the pods a Service selects that have an address and have not ended, in the order given."""
    selector = service["spec"]["selector"]
    return tuple(
        _address(service, pod)
        for pod in candidates
        if selectors.has_labels(selector, selectors.labels_of(pod))
        and not pods.has_ended(pod)
        and (pod.get("status") or {}).get("podIP")
    )


def _address(service: JsonObject, pod: JsonObject) -> Address:
    spec, pod_spec = service["spec"], pod["spec"]
    is_serving, is_terminating = pods.is_ready(pod), pods.is_terminating(pod)
    in_subdomain = pod_spec.get("hostname") and pod_spec.get("subdomain") == service["metadata"]["name"]
    return Address(
        pod=pod,
        ip=pod["status"]["podIP"],
        ports=tuple(_ports(spec.get("ports") or (), pod)),
        is_ready=bool(spec.get("publishNotReadyAddresses")) or (is_serving and not is_terminating),
        is_serving=is_serving,
        is_terminating=is_terminating,
        hostname=pod_spec["hostname"] if in_subdomain else "",
    )


def _ports(service_ports: Sequence[JsonObject], pod: JsonObject) -> Iterable[Port]:
    for each in service_ports:
        protocol = each.get("protocol", "TCP")
        number = _number(each.get("targetPort") or each["port"], protocol, pod)
        if number is not None:
            yield Port(each.get("name", ""), number, protocol, each.get("appProtocol", ""))


def _number(target: int | str, protocol: str, pod: JsonObject) -> int | None:
    """Resolve a target port; a name means the container port of that name, sidecars included."""
    if isinstance(target, int):
        return target
    spec = pod["spec"]
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    for container in (*spec["containers"], *sidecars):
        for port in container.get("ports") or ():
            if port.get("name") == target and port.get("protocol", "TCP") == protocol:
                found: int = port["containerPort"]
                return found
    return None


def target_reference(pod: JsonObject) -> JsonObject:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def services_of_pod(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    """Name the Services that select a pod now or did before this change, when it matters to them."""
    if change.type == "MODIFIED" and change.previous is not None:
        if _facts(change.previous) == _facts(change.object):
            return ()
        states = [change.previous, change.object]
    else:
        states = [change.object]
    namespace = change.object["metadata"]["namespace"]
    return [
        runner.key_of(SERVICES, service)
        for service in caches.of(SERVICES).in_namespace(namespace)
        if has_endpoints(service)
        and any(
            selectors.has_labels(service["spec"]["selector"], selectors.labels_of(each)) for each in states
        )
    ]


def _facts(pod: JsonObject) -> tuple[object, ...]:
    return (
        selectors.labels_of(pod),
        (pod.get("status") or {}).get("podIP"),
        pod["spec"].get("nodeName"),
        pods.has_ended(pod),
        pods.is_ready(pod),
        pods.is_terminating(pod),
    )


def watches() -> tuple[runner.Watch, ...]:
    """Watch Services and the pods behind them."""
    return (runner.own_keys(SERVICES), runner.Watch(PODS, services_of_pod))
