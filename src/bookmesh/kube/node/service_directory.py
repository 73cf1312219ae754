"""
The services and their endpoints as the API has them now: one watch of each, shared by DNS, packet rules and host ports.

    directory = ServiceDirectory(client)
    seen = 0
    while True:
        seen = await directory.changed(seen)      # returns at once when there is something newer
        ... look at directory.services, directory.slices ...
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from bookmesh.base import following, kubernetes
from bookmesh.base.kubernetes import ApiError, Client, JsonObject, ObjectList, Resource, WatchEvent

_log = logging.getLogger(__name__)

ObjectKey = tuple[str, str]  # namespace, name
_SERVICE_NAME: Final = "kubernetes.io/service-name"


class Endpoint(NamedTuple):
    """Where one port of a service is served."""

    address: str
    port: int


class ServiceDirectory:
    """
    Services and EndpointSlices, by namespace and name. The objects are shared: never mutate them.

    It says nothing before it has seen all services and slices once, so that nobody acts on half the truth.
    """

    def __init__(self, client: Client) -> None:
        self.services: Mapping[ObjectKey, JsonObject] = {}
        self.slices: Mapping[ObjectKey, JsonObject] = {}
        self._client = client
        self._listed: set[Resource] = set()
        self._version = 0
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Follow the API until cancelled; after an error, list again."""
        async with asyncio.TaskGroup() as group:
            for resource in (kubernetes.SERVICES, kubernetes.ENDPOINT_SLICES):
                copy = _Copy(resource, self._tell)
                group.create_task(following.follow(self._client, resource, copy, pause=asyncio.sleep))

    async def changed(self, after: int) -> int:
        """Wait until there is a version newer than `after` (0 at first), and return it; versions may be skipped."""
        while self._version <= after:
            await self._news.wait()
        return self._version

    def _tell(self, resource: Resource, objects: dict[ObjectKey, JsonObject]) -> None:
        if resource == kubernetes.SERVICES:
            self.services = objects
        else:
            self.slices = objects
        self._listed.add(resource)
        if len(self._listed) == 2:
            self._version += 1
            self._news.set()
            self._news = asyncio.Event()


class _Copy:
    """The objects of one resource, told whenever they change."""

    def __init__(
        self, resource: Resource, tell: Callable[[Resource, dict[ObjectKey, JsonObject]], None]
    ) -> None:
        self._resource = resource
        self._tell = tell
        self._objects: dict[ObjectKey, JsonObject] = {}

    def replace(self, listed: ObjectList) -> None:
        self._objects = {_key(one): one for one in listed.items}
        self._tell(self._resource, self._objects)

    def take(self, event: WatchEvent) -> None:
        if event.type == "DELETED":
            self._objects.pop(_key(event.object), None)
        else:
            self._objects[_key(event.object)] = event.object
        self._tell(self._resource, self._objects)

    def clear(self) -> None:
        self.replace(ObjectList([], ""))

    def note(self, error: ApiError | OSError, pause_s: float) -> None:
        _log.warning("watching %s: %s; trying again in %.2f s", self._resource.plural, error, pause_s)


def slices_by_service(slices: Mapping[ObjectKey, JsonObject]) -> dict[ObjectKey, list[JsonObject]]:
    """Group IPv4 slices by the namespace and name of the service they belong to."""
    grouped: dict[ObjectKey, list[JsonObject]] = {}
    for (namespace, _), one in sorted(slices.items()):
        service = one["metadata"].get("labels", {}).get(_SERVICE_NAME)
        if service and one.get("addressType") == "IPv4":
            grouped.setdefault((namespace, service), []).append(one)
    return grouped


def ready_endpoints(slices: list[JsonObject], port_name: str) -> list[Endpoint]:
    """
    List where a service's port is served, sorted, without doubles; empty when nowhere.

    While none is ready, those that still serve while they end are taken, as kube-proxy does.
    """
    ready: set[Endpoint] = set()
    ending: set[Endpoint] = set()
    for one in slices:
        numbers = [port["port"] for port in one.get("ports") or () if (port.get("name") or "") == port_name]
        for endpoint, address in _addresses(one):
            conditions = endpoint.get("conditions") or {}
            found = {Endpoint(address, number) for number in numbers}
            if conditions.get("ready") is not False:
                ready |= found
            elif conditions.get("serving") and conditions.get("terminating"):
                ending |= found
    return sorted(ready or ending)


def cluster_ip(service: JsonObject) -> str:
    """The service's own address; "" for a headless one or an ExternalName."""
    address = str(service["spec"].get("clusterIP") or "")
    return "" if address == "None" else address


def load_balancer_addresses(service: JsonObject) -> list[str]:
    """The addresses of a LoadBalancer service, as its status has them."""
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return [entry["ip"] for entry in ingress if entry.get("ip")]


def _addresses(one: JsonObject) -> Iterator[tuple[JsonObject, str]]:
    for endpoint in one.get("endpoints") or ():
        for address in endpoint.get("addresses", ()):
            yield endpoint, address


def _key(one: JsonObject) -> ObjectKey:
    return one["metadata"].get("namespace", ""), one["metadata"]["name"]
