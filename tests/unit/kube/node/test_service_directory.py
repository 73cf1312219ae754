"""Endpoints out of slices, and following the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject, ObjectList, Resource, WatchEvent
from bookmesh.kube.node import service_directory
from bookmesh.kube.node.service_directory import Endpoint, ServiceDirectory


def make_slice(*endpoints: JsonObject, ports: list[JsonObject] | None = None, **fields: Any) -> JsonObject:
    labels = {"kubernetes.io/service-name": "web"}
    metadata = {"name": "web-1", "namespace": "default", "labels": labels}
    return {
        "metadata": metadata,
        "addressType": "IPv4",
        "ports": ports or [{"name": "http", "port": 8080}],
        "endpoints": list(endpoints),
        **fields,
    }


def endpoint(address: str, **conditions: bool) -> JsonObject:
    return {"addresses": [address], "conditions": conditions}


def test_ready_endpoints_are_sorted_and_once() -> None:
    one = make_slice(
        endpoint("10.0.0.2", ready=True), endpoint("10.0.0.1"), endpoint("10.0.0.3", ready=False)
    )
    assert service_directory.ready_endpoints([one, one], "http") == [
        Endpoint("10.0.0.1", 8080),
        Endpoint("10.0.0.2", 8080),
    ]


def test_ending_endpoints_are_taken_only_while_none_is_ready() -> None:
    ending = endpoint("10.0.0.3", ready=False, serving=True, terminating=True)
    assert service_directory.ready_endpoints([make_slice(ending)], "http") == [Endpoint("10.0.0.3", 8080)]
    both = make_slice(ending, endpoint("10.0.0.1", ready=True))
    assert service_directory.ready_endpoints([both], "http") == [Endpoint("10.0.0.1", 8080)]


def test_a_port_is_found_by_name_and_an_unnamed_one_has_the_empty_name() -> None:
    ports: list[JsonObject] = [{"port": 80}, {"name": "admin", "port": 81}]
    one = make_slice(endpoint("10.0.0.1"), ports=ports)
    assert service_directory.ready_endpoints([one], "") == [Endpoint("10.0.0.1", 80)]
    assert service_directory.ready_endpoints([one], "admin") == [Endpoint("10.0.0.1", 81)]
    assert service_directory.ready_endpoints([one], "other") == []


def test_slices_of_other_address_families_are_left_out() -> None:
    slices = {("default", "a"): make_slice(addressType="IPv6"), ("default", "b"): make_slice()}
    assert list(service_directory.slices_by_service(slices)) == [("default", "web")]
    assert len(service_directory.slices_by_service(slices)["default", "web"]) == 1


class FakeClient:
    """Lists what it has; a watch yields the given events, then fails as given or waits."""

    def __init__(self) -> None:
        self.lists = 0
        self.events: dict[Resource, list[WatchEvent | ApiError]] = {}

    async def list(self, resource: Resource, namespace: str = "") -> ObjectList:
        self.lists += 1
        return ObjectList([], "1")

    async def watch(
        self, resource: Resource, namespace: str = "", *, since: str
    ) -> AsyncIterator[WatchEvent]:
        for event in self.events.pop(resource, []):
            if isinstance(event, ApiError):
                raise event
            yield event
        await asyncio.Event().wait()


async def test_nothing_is_told_before_both_kinds_were_listed_and_then_every_change_is() -> None:
    client = FakeClient()
    service: JsonObject = {"metadata": {"name": "web", "namespace": "default"}, "spec": {}}
    client.events[kubernetes.SERVICES] = [WatchEvent("ADDED", service), WatchEvent("BOOKMARK", {})]
    directory = ServiceDirectory(client)  # type: ignore[arg-type]
    running = asyncio.ensure_future(directory.run())
    seen = await asyncio.wait_for(directory.changed(0), 20)
    while not directory.services:
        seen = await asyncio.wait_for(directory.changed(seen), 20)
    assert directory.services == {("default", "web"): service}
    running.cancel()


async def test_a_watch_that_is_too_old_lists_again_at_once() -> None:
    client = FakeClient()
    client.events[kubernetes.SERVICES] = [ApiError(410, "Expired", "too old")]
    directory = ServiceDirectory(client)  # type: ignore[arg-type]
    running = asyncio.ensure_future(directory.run())
    seen = 0
    while client.lists < 3:
        seen = await asyncio.wait_for(directory.changed(seen), 20)
    running.cancel()
