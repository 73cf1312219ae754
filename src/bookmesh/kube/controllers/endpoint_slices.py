"""
Writes down where each Service's traffic may go: EndpointSlices of at most 100 endpoints.

Pods that resolve named ports differently are in different slices. An endpoint stays in the slice where it is, so
that a change of one pod rewrites one slice. A Service without pods keeps one empty slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bookmesh.base.kubernetes import ENDPOINT_SLICES, NODES, PODS, SERVICES, JsonObject, Resource
from bookmesh.kube.controllers import actions, addresses, informers, owners, runner, selectors

NAME = "endpoint-slice-controller"
MANAGER = "endpointslice-controller.k8s.io"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SERVICE_NAME = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"
ZONE = "topology.kubernetes.io/zone"
LARGEST = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """All pods and slices of the namespace, by name; all nodes."""

    pods: tuple[JsonObject, ...]
    slices: tuple[JsonObject, ...]
    nodes: tuple[JsonObject, ...] = ()


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Bring the slices of one Service in line with its pods."""
    if owners.is_being_deleted(desired) or not addresses.has_endpoints(desired):
        return ()
    service_name = desired["metadata"]["name"]
    ours = [
        each
        for each in seen.slices
        if selectors.has_labels({SERVICE_NAME: service_name, MANAGED_BY: MANAGER}, selectors.labels_of(each))
        and not owners.is_being_deleted(each)
    ]
    zones = {node["metadata"]["name"]: selectors.labels_of(node).get(ZONE, "") for node in seen.nodes}
    wanted: dict[tuple[addresses.Port, ...], list[JsonObject]] = {}
    for address in addresses.addresses_of(desired, seen.pods):
        wanted.setdefault(address.ports, []).append(_endpoint(address, zones))
    if not wanted:
        wanted[()] = []
    changes: list[actions.Action] = []
    left = ours
    for ports, endpoints in wanted.items():
        listed = _listed_ports(ports)
        same = [each for each in left if _key(each) == _ports_key(listed)]
        left = [each for each in left if each not in same]
        if not same and left and len(wanted) == 1:
            same, left = left[:1], left[1:]
        changes.extend(_fill(desired, listed, endpoints, same))
    changes.extend(actions.delete_of(ENDPOINT_SLICES, each) for each in left)
    return tuple(changes)


def _fill(
    service: JsonObject, ports: list[JsonObject], endpoints: list[JsonObject], slices: Sequence[JsonObject]
) -> Iterable[actions.Action]:
    """Put endpoints with one set of ports into the slices there are, then into new ones; empty ones go."""
    waiting = {endpoint["targetRef"]["uid"]: endpoint for endpoint in endpoints}
    contents: list[list[JsonObject]] = []
    for each in slices:
        before = [endpoint["targetRef"]["uid"] for endpoint in each.get("endpoints") or ()]
        contents.append([waiting.pop(uid) for uid in before if uid in waiting])
    rest = list(waiting.values())
    for content in contents:
        room = LARGEST - len(content)
        content.extend(rest[:room])
        rest = rest[room:]
    is_kept = bool(endpoints)
    for position, (each, content) in enumerate(zip(slices, contents, strict=True)):
        if not content and (is_kept or position > 0):
            yield actions.delete_of(ENDPOINT_SLICES, each)
            continue
        body = {**each, **_content(service, ports, content)}
        body["metadata"] = {**each["metadata"], "labels": _labels(service)}
        if body != each and not _is_same(body, each):
            yield actions.Update(ENDPOINT_SLICES, body)
    if not slices and not rest:
        yield actions.Create(ENDPOINT_SLICES, _build(service, ports, []))
    for start in range(0, len(rest), LARGEST):
        yield actions.Create(ENDPOINT_SLICES, _build(service, ports, rest[start : start + LARGEST]))


def _build(service: JsonObject, ports: list[JsonObject], endpoints: list[JsonObject]) -> JsonObject:
    metadata = service["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": _labels(service),
            "ownerReferences": [owners.reference_to(service, api_version="v1", kind="Service")],
        },
        "addressType": "IPv4",
        **_content(service, ports, endpoints),
    }


def _content(service: JsonObject, ports: list[JsonObject], endpoints: list[JsonObject]) -> JsonObject:
    return {"endpoints": endpoints, "ports": ports}


def _is_same(one: JsonObject, other: JsonObject) -> bool:
    """Compare what we write; a server may leave empty lists out."""
    return (
        (one.get("endpoints") or []) == (other.get("endpoints") or [])
        and (one.get("ports") or []) == (other.get("ports") or [])
        and selectors.labels_of(one) == selectors.labels_of(other)
    )


def _labels(service: JsonObject) -> dict[str, str]:
    """Take over the Service's labels, apart from those that are ours."""
    labels = {key: value for key, value in selectors.labels_of(service).items() if key != HEADLESS}
    if addresses.is_headless(service):
        labels[HEADLESS] = ""
    return {**labels, SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: MANAGER}


def _endpoint(address: addresses.Address, zones: dict[str, str]) -> JsonObject:
    endpoint: JsonObject = {
        "addresses": [address.ip],
        "conditions": {
            "ready": address.is_ready,
            "serving": address.is_serving,
            "terminating": address.is_terminating,
        },
        "targetRef": addresses.target_reference(address.pod),
    }
    node_name = address.pod["spec"].get("nodeName")
    if node_name:
        endpoint["nodeName"] = node_name
    if zones.get(node_name or ""):
        endpoint["zone"] = zones[node_name]
    if address.hostname:
        endpoint["hostname"] = address.hostname
    return endpoint


def _listed_ports(ports: tuple[addresses.Port, ...]) -> list[JsonObject]:
    listed = []
    for port in ports:
        entry: JsonObject = {"name": port.name, "port": port.number, "protocol": port.protocol}
        if port.app_protocol:
            entry["appProtocol"] = port.app_protocol
        listed.append(entry)
    return listed


def _key(endpoint_slice: JsonObject) -> frozenset[tuple[object, ...]]:
    return _ports_key(endpoint_slice.get("ports") or [])


def _ports_key(ports: Iterable[JsonObject]) -> frozenset[tuple[object, ...]]:
    return frozenset(
        (
            port.get("name", ""),
            port.get("port"),
            port.get("protocol", "TCP"),
            port.get("appProtocol", ""),
        )
        for port in ports
    )


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(
        view.caches.of(PODS).in_namespace(key.namespace),
        view.caches.of(ENDPOINT_SLICES).in_namespace(key.namespace),
        view.caches.of(NODES).in_namespace(""),
    )


def _service_of_slice(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    labels = selectors.labels_of(change.object)
    if labels.get(MANAGED_BY) != MANAGER or SERVICE_NAME not in labels:
        return ()
    return (runner.Key(SERVICES, change.object["metadata"]["namespace"], labels[SERVICE_NAME]),)


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(*addresses.watches(), runner.Watch(ENDPOINT_SLICES, _service_of_slice)),
    observe=observe,
    reconcile=reconcile,
    reads=(NODES,),
)
