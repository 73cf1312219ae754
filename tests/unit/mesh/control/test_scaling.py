"""
A change costs what it changes: as many function calls in a mesh of 300 services as in one of 30.

Calls are counted, not time, so a busy machine makes no difference. Calls into C count as well, but not what those do
inside, such as copying a tuple of references.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.unit.mesh.control import small_mesh

from bookmesh.mesh.control import proxies
from bookmesh.mesh.control.building import Builder, Changes
from bookmesh.mesh.registry import assembling
from bookmesh.mesh.snapshot.settings import MeshSettings

PROXY = proxies.build_proxy(small_mesh.pod("caller", "10.1.0.2", app="caller"), domain="cluster.local")
SERVICES_A_PORT = 10


class World:
    """A control plane that has pushed a mesh of some services, each with a route and a rule, to one proxy."""

    def __init__(self, services: int) -> None:
        self.builder = Builder(MeshSettings())
        self.given: Any = None
        names = [f"svc-{number}" for number in range(services)]
        kubernetes = assembling.Changes(
            services={("default", name): _service(number, name) for number, name in enumerate(names)},
            endpoint_slices={("default", name): _slice(name, 1) for name in names},
            pods={("default", name): small_mesh.pod(name, _ip(name), app=name) for name in names},
        )
        routes = {("VirtualService", "default", name): _route(name, 1) for name in names}
        rules = {("DestinationRule", "default", name): _rule(name, 1) for name in names}
        asyncio.run(self.push(Changes(kubernetes, {**routes, **rules})))

    async def push(self, changes: Changes, *, is_news: bool = True) -> None:
        snapshot = await self.builder.build_snapshot(changes)
        given = await self.builder.translate(PROXY, snapshot, self.given)
        before, self.given = self.given, given
        publication = await self.builder.encode(given, before)
        await self.builder.analyze(snapshot)
        assert publication.is_news is is_news


def _ip(name: str) -> str:
    number = int(name.rpartition("-")[2])
    return f"10.0.{number // 250}.{number % 250 + 1}"


def _service(number: int, name: str) -> dict[str, Any]:
    obj = small_mesh.service(name, 9080 + number // SERVICES_A_PORT, 8080, app=name)
    obj["spec"]["clusterIP"] = f"10.96.{number // 250}.{number % 250 + 1}"
    return obj


def _slice(name: str, count: int) -> dict[str, Any]:
    return small_mesh.endpoint_slice(name, 8080, *(_ip(name), "10.2.0.1")[:count])


def _route(name: str, seconds: int) -> dict[str, Any]:
    http = [{"route": [{"destination": {"host": name, "subset": "v1"}}], "timeout": f"{seconds}s"}]
    return small_mesh.config("VirtualService", name, hosts=[name], http=http)


def _rule(name: str, connections: int) -> dict[str, Any]:
    subsets = [{"name": "v1", "labels": {"app": name}}]
    policy = {"connectionPool": {"tcp": {"maxConnections": connections}}}
    return small_mesh.config("DestinationRule", name, host=name, subsets=subsets, trafficPolicy=policy)


def calls_of(work: Callable[[], Awaitable[None]]) -> int:
    """How many functions, of Python and of C, are called meanwhile."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    async def counted() -> None:
        sys.setprofile(profile)
        try:
            await work()
        finally:
            sys.setprofile(None)

    asyncio.run(counted())
    return count


def change_endpoint(number: int) -> Changes:
    return Changes(assembling.Changes(endpoint_slices={("default", "svc-3"): _slice("svc-3", number)}))


def change_route(number: int) -> Changes:
    return Changes(configs={("VirtualService", "default", "svc-3"): _route("svc-3", number)})


def change_rule(number: int) -> Changes:
    return Changes(configs={("DestinationRule", "default", "svc-3"): _rule("svc-3", number + 1)})


def change_service(number: int) -> Changes:
    service = _service(3, "svc-3")
    service["spec"]["ports"][0]["name"] = ("http", "tcp")[number - 1]
    return Changes(assembling.Changes(services={("default", "svc-3"): service}))


def add_service(number: int) -> Changes:
    """A new one, which a route is for, beside ten others on its port."""
    name = f"new-{number}"
    service = _service(0, name)
    service["spec"]["clusterIP"] = f"10.97.0.{number}"
    kubernetes = assembling.Changes(services={("default", name): service})
    return Changes(kubernetes, {("VirtualService", "default", name): _route(name, 1)})


def change_entry(number: int) -> Changes:
    ports = [{"number": 9080 + number, "name": "http", "protocol": "HTTP"}]
    entry = small_mesh.config("ServiceEntry", "outside", hosts=["api.example.com"], ports=ports)
    return Changes(configs={("ServiceEntry", "default", "outside"): entry})


def change_connections(number: int) -> Changes:
    tcp = [{"route": [{"destination": {"host": "svc-3", "port": {"number": 9080 + number}}}]}]
    http = [{"timeout": f"{number}s", "route": [{"destination": {"host": "svc-3"}}]}]
    route = small_mesh.config("VirtualService", "svc-3", hosts=["svc-3"], tcp=tcp, http=http)
    return Changes(configs={("VirtualService", "default", "svc-3"): route})


def change_gateway(number: int) -> Changes:
    """It has another port. Whether it selects any pod is looked for until one is found, which is the first one here."""
    server = {"port": {"number": 80 + number, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    gateway = small_mesh.config("Gateway", "public", selector={"app": "svc-0"}, servers=[server])
    return Changes(configs={("Gateway", "default", "public"): gateway})


CHANGES = [
    change_endpoint,
    change_route,
    change_rule,
    change_service,
    add_service,
    change_entry,
    change_connections,
]
SIDECAR = Changes(
    configs={
        ("Sidecar", "default", "all"): small_mesh.config("Sidecar", "all", egress=[{"hosts": ["./*"]}]),
    }
)
_PATCH = {
    "applyTo": "CLUSTER",
    "match": {"context": "SIDECAR_OUTBOUND"},
    "patch": {"operation": "MERGE", "value": {"connect_timeout": "3s"}},
}
FILTER = Changes(
    configs={
        ("EnvoyFilter", "default", "patient"): {
            **small_mesh.config("EnvoyFilter", "patient", configPatches=[_PATCH]),
            "apiVersion": "networking.istio.io/v1alpha3",
        }
    }
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_costs_as_much_in_a_mesh_of_ten_times_as_many_services(
    change: Callable[[int], Changes],
) -> None:
    calls: list[int] = []
    for services in (30, 300):
        world = World(services)
        asyncio.run(world.push(change(2)))
        calls.append(calls_of(functools.partial(world.push, change(1))))
    assert calls[1] < 1.2 * calls[0]


@pytest.mark.parametrize("change", [change_endpoint, change_route, change_rule, change_service, add_service])
@pytest.mark.parametrize("before", [SIDECAR, FILTER], ids=["sidecar", "envoy filter"])
def test_a_change_costs_as_much_where_something_else_has_a_say(
    before: Changes, change: Callable[[int], Changes]
) -> None:
    calls: list[int] = []
    for services in (30, 300):
        world = World(services)
        asyncio.run(world.push(before, is_news=before is FILTER))
        asyncio.run(world.push(change(2)))
        calls.append(calls_of(functools.partial(world.push, change(1))))
    assert calls[1] < 1.2 * calls[0]


def test_a_changed_gateway_costs_a_sidecar_as_much_in_a_mesh_of_ten_times_as_many_services() -> None:
    calls: list[int] = []
    for services in (30, 300):
        world = World(services)
        asyncio.run(world.push(change_gateway(2), is_news=False))
        calls.append(calls_of(functools.partial(world.push, change_gateway(1), is_news=False)))
    assert calls[1] < 1.2 * calls[0]


def test_what_is_counted_would_show_a_look_at_everything() -> None:
    calls: list[int] = []
    for services in (30, 300):
        world = World(services)

        async def look(world: World = world) -> None:
            await world.push(change_endpoint(2))
            [str(service.ref) for service in world.given.basis.shared.scope.services.values()]

        calls.append(calls_of(look))
    assert calls[1] > 1.2 * calls[0]
