"""
Writes the Endpoints object of each Service, for clients older than EndpointSlices.

One object per Service and by its name; pods on their way out are left out. It goes with its Service.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bookmesh.base.kubernetes import PODS, SERVICES, JsonObject, Resource
from bookmesh.kube.controllers import actions, addresses, informers, owners, runner, selectors
from bookmesh.kube.controllers.resources import ENDPOINTS

NAME = "endpoint-controller"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"


@dataclass(frozen=True, slots=True)
class Seen:
    """All pods of the namespace, by name; the Endpoints object by the Service's name, if there is one."""

    pods: tuple[JsonObject, ...]
    endpoints: JsonObject | None


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Bring the Endpoints object of one Service in line with its pods."""
    if owners.is_being_deleted(desired) or not addresses.has_endpoints(desired):
        return ()
    subsets = subsets_of(addresses.addresses_of(desired, seen.pods), is_all=_publishes_all(desired))
    labels = _labels(desired)
    if seen.endpoints is None:
        metadata = desired["metadata"]
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "labels": labels},
            "subsets": subsets,
        }
        return (actions.Create(ENDPOINTS, body),)
    current = seen.endpoints
    if (current.get("subsets") or []) == subsets and selectors.labels_of(current) == labels:
        return ()
    metadata = {**current["metadata"], "labels": labels}
    return (actions.Update(ENDPOINTS, {**current, "metadata": metadata, "subsets": subsets}),)


def subsets_of(found: Iterable[addresses.Address], *, is_all: bool) -> list[JsonObject]:
    """
    Group addresses by their ports.

    Returns:
        Subsets in the order of their first pod; addresses by IP. `is_all` keeps pods on their way out.
    """
    groups: dict[tuple[addresses.Port, ...], list[addresses.Address]] = {}
    for address in found:
        if is_all or not address.is_terminating:
            groups.setdefault(address.ports, []).append(address)
    subsets = []
    for ports, members in groups.items():
        members.sort(key=lambda each: each.ip)
        ready = [_entry(each) for each in members if each.is_ready]
        not_ready = [_entry(each) for each in members if not each.is_ready]
        subset: JsonObject = {}
        if ready:
            subset["addresses"] = ready
        if not_ready:
            subset["notReadyAddresses"] = not_ready
        if ports:
            subset["ports"] = [_port(port) for port in ports]
        subsets.append(subset)
    return subsets


def _entry(address: addresses.Address) -> JsonObject:
    entry: JsonObject = {"ip": address.ip}
    if address.hostname:
        entry["hostname"] = address.hostname
    if address.pod["spec"].get("nodeName"):
        entry["nodeName"] = address.pod["spec"]["nodeName"]
    entry["targetRef"] = addresses.target_reference(address.pod)
    return entry


def _port(port: addresses.Port) -> JsonObject:
    entry: JsonObject = {"port": port.number, "protocol": port.protocol}
    if port.name:
        entry["name"] = port.name
    if port.app_protocol:
        entry["appProtocol"] = port.app_protocol
    return entry


def _labels(service: JsonObject) -> dict[str, str]:
    labels = {key: value for key, value in selectors.labels_of(service).items() if key != HEADLESS}
    if addresses.is_headless(service):
        labels[HEADLESS] = ""
    return {**labels, MANAGED_BY: NAME}


def _publishes_all(service: JsonObject) -> bool:
    return bool(service["spec"].get("publishNotReadyAddresses"))


def vanished(key: runner.Key, view: runner.View) -> actions.Actions:
    """Remove what was written for a Service that is gone."""
    current = view.caches.of(ENDPOINTS).get(key.namespace, key.name)
    if current is None or selectors.labels_of(current).get(MANAGED_BY) != NAME:
        return ()
    return (actions.delete_of(ENDPOINTS, current),)


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(
        view.caches.of(PODS).in_namespace(key.namespace),
        view.caches.of(ENDPOINTS).get(key.namespace, key.name),
    )


def _service_of_endpoints(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    return (runner.Key(SERVICES, *informers.place_of(change.object)),)


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(*addresses.watches(), runner.Watch(ENDPOINTS, _service_of_endpoints)),
    observe=observe,
    reconcile=reconcile,
    vanished=vanished,
)
