"""
Mirrors Endpoints that people write into EndpointSlices, which is where everybody reads: one slice for each subset.

That is so for a Service without a selector; where there is one, endpoints are the controllers' own. The slices go with
the Endpoints object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bookmesh.base.kubernetes import ENDPOINT_SLICES, SERVICES, JsonObject, Resource
from bookmesh.kube.controllers import actions, addresses, informers, owners, runner, selectors
from bookmesh.kube.controllers.endpoint_slices import MANAGED_BY, SERVICE_NAME
from bookmesh.kube.controllers.resources import ENDPOINTS

NAME = "endpoint-slice-mirroring-controller"
MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"


@dataclass(frozen=True, slots=True)
class Seen:
    """The Service of the same name, if there is one; all slices of the namespace, by name."""

    service: JsonObject | None
    slices: tuple[JsonObject, ...]


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Bring the mirrored slices of one Endpoints object in line with it."""
    if owners.is_being_deleted(desired):
        return ()
    ours = [
        each
        for each in seen.slices
        if selectors.labels_of(each).get(MANAGED_BY) == MANAGER and owners.is_controlled_by(each, desired)
    ]
    wanted = list(_slices(desired)) if _is_mirrored(desired, seen.service) else []
    changes: list[actions.Action] = []
    for body, current in zip(wanted, ours, strict=False):
        if any(body[part] != (current.get(part) or []) for part in ("endpoints", "ports")):
            changes.append(actions.Update(ENDPOINT_SLICES, {**current, **_content(body)}))
    changes.extend(actions.Create(ENDPOINT_SLICES, body) for body in wanted[len(ours) :])
    changes.extend(actions.delete_of(ENDPOINT_SLICES, each) for each in ours[len(wanted) :])
    return tuple(changes)


def _is_mirrored(desired: JsonObject, service: JsonObject | None) -> bool:
    if service is None or selectors.labels_of(desired).get(SKIP) == "true":
        return False
    return not addresses.has_endpoints(service) and service["spec"].get("type") != "ExternalName"


def _slices(desired: JsonObject) -> Iterator[JsonObject]:
    metadata = desired["metadata"]
    labels = {**selectors.labels_of(desired), SERVICE_NAME: metadata["name"], MANAGED_BY: MANAGER}
    for subset in desired.get("subsets") or ():
        found = [_endpoint(address, is_ready=True) for address in subset.get("addresses") or ()]
        found += [_endpoint(address, is_ready=False) for address in subset.get("notReadyAddresses") or ()]
        if found:
            yield {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "generateName": f"{metadata['name']}-",
                    "namespace": metadata["namespace"],
                    "labels": labels,
                    "ownerReferences": [owners.reference_to(desired, api_version="v1", kind="Endpoints")],
                },
                "addressType": "IPv4",
                "endpoints": found,
                "ports": [_port(port) for port in subset.get("ports") or ()],
            }


def _content(body: JsonObject) -> JsonObject:
    return {part: body[part] for part in ("endpoints", "ports")}


def _endpoint(address: JsonObject, *, is_ready: bool) -> JsonObject:
    endpoint: JsonObject = {"addresses": [address["ip"]], "conditions": {"ready": is_ready}}
    for name in ("hostname", "nodeName", "targetRef"):
        if address.get(name):
            endpoint[name] = address[name]
    return endpoint


def _port(port: JsonObject) -> JsonObject:
    listed: JsonObject = {
        "name": port.get("name", ""),
        "port": port["port"],
        "protocol": port.get("protocol", "TCP"),
    }
    if port.get("appProtocol"):
        listed["appProtocol"] = port["appProtocol"]
    return listed


async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
    return Seen(
        view.caches.of(SERVICES).get(key.namespace, key.name),
        view.caches.of(ENDPOINT_SLICES).in_namespace(key.namespace),
    )


def _same_name(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    metadata = change.object["metadata"]
    return (runner.Key(ENDPOINTS, metadata["namespace"], metadata["name"]),)


def _mirrored_from(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    labels = selectors.labels_of(change.object)
    if labels.get(MANAGED_BY) != MANAGER or SERVICE_NAME not in labels:
        return ()
    return (runner.Key(ENDPOINTS, change.object["metadata"]["namespace"], labels[SERVICE_NAME]),)


CONTROLLER = runner.Controller(
    name=NAME,
    watches=(
        runner.own_keys(ENDPOINTS),
        runner.Watch(SERVICES, _same_name),
        runner.Watch(ENDPOINT_SLICES, _mirrored_from),
    ),
    observe=observe,
    reconcile=reconcile,
)
