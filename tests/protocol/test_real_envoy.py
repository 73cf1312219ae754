"""What the state machine assumes about Envoy, asked of a real one with hand-made resources."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401 - known to Any
from envoy.extensions.filters.network.http_connection_manager.v3 import (  # noqa: F401 - known to Any
    http_connection_manager_pb2,
)
from google.protobuf import json_format
from tests.local_ports import free_port
from tests.protocol import real_envoy
from tests.protocol.real_envoy import until

from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources, server
from bookmesh.mesh.xds.pushing import Feed

ADS = {"ads": {}, "resource_api_version": "V3"}
TYPE = "type.googleapis.com/envoy.extensions.filters."
MESSAGES = {
    type_urls.CLUSTER: cluster_pb2.Cluster,
    type_urls.ENDPOINTS: endpoint_pb2.ClusterLoadAssignment,
    type_urls.LISTENER: listener_pb2.Listener,
    type_urls.ROUTES: route_pb2.RouteConfiguration,
}


def encode(type_url: str, content: dict[str, Any]) -> dict[str, resources.Encoded]:
    message = json_format.ParseDict(content, MESSAGES[type_url]())
    name = content.get("name") or content["cluster_name"]
    return {name: resources.encode(type_url, name, message.SerializeToString(deterministic=True))}


def cluster(name: str, timeout_s: int = 1) -> dict[str, resources.Encoded]:
    eds = {"eds_config": ADS}
    return encode(
        type_urls.CLUSTER,
        {"name": name, "type": "EDS", "connect_timeout": f"{timeout_s}s", "eds_cluster_config": eds},
    )


def endpoints(name: str, port: int) -> dict[str, resources.Encoded]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    content = {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}
    return encode(type_urls.ENDPOINTS, content)


def routes(cluster_name: str, match: dict[str, Any] | None = None) -> dict[str, resources.Encoded]:
    route = {"match": match or {"prefix": "/"}, "route": {"cluster": cluster_name}}
    hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]
    return encode(type_urls.ROUTES, {"name": "web", "virtual_hosts": hosts})


def listener(port: int) -> dict[str, resources.Encoded]:
    router = {"@type": f"{TYPE}http.router.v3.Router"}
    manager = {
        "@type": f"{TYPE}network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "web",
        "rds": {"route_config_name": "web", "config_source": ADS},
        "http_filters": [{"name": "router", "typed_config": router}],
    }
    content = {
        "name": "web",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return encode(type_urls.LISTENER, content)


def everything(name: str, backend_port: int, port: int) -> dict[str, dict[str, resources.Encoded]]:
    return {
        type_urls.CLUSTER: cluster(name),
        type_urls.ENDPOINTS: endpoints(name, backend_port),
        type_urls.LISTENER: listener(port),
        type_urls.ROUTES: routes(name),
    }


class World:
    """A feed, its socket, an Envoy on it that serves `port`, and a backend."""

    def __init__(self, directory, backend_port: int) -> None:
        self.feed = Feed(real_envoy.PROXY_ID, on_answer=lambda _feed: None)
        self.socket = server.ProxySocket(self.feed, directory)
        self.port = free_port()
        self.backend_port = backend_port

    async def settled(self) -> None:
        async def is_settled() -> bool:
            return self.feed.state().is_connected and self.feed.is_settled()

        await until(is_settled)

    async def answers(self, text: str) -> None:
        async def is_answered() -> bool:
            return await real_envoy.get(self.port) == (200, text)

        await until(is_answered)


@pytest.fixture
async def world(tmp_path, monkeypatch):
    real_envoy.open_gates_by_acks_alone(monkeypatch)
    async with real_envoy.backend("one") as backend_port:
        world = World(tmp_path, backend_port)
        world.feed.publish(everything("c0", backend_port, world.port))
        await world.socket.start()
        async with real_envoy.running(real_envoy.bootstrap(world.socket.path), tmp_path) as world.envoy:
            await world.answers("one")
            await world.settled()
            yield world
        await world.socket.stop()


async def test_clusters_come_and_go_under_load_without_a_failed_request(world):
    async with real_envoy.load(world.port) as answers:
        for number in range(1, 31):
            world.feed.publish(everything(f"c{number}", world.backend_port, world.port))
            await world.settled()
    assert len(answers) > 100
    assert set(answers) == {(200, "one")}
    assert await world.envoy.stat("cluster_manager.active_clusters") == 2  # the last one and xds itself
    assert await world.envoy.stat("cluster_manager.warming_clusters") == 0
    latencies_ms = sorted(latency_s * 1000 for latency_s in world.feed.latencies_s)
    print(f"publish to last ack, 4 steps each: p50 {statistics.median(latencies_ms):.1f} ms")  # noqa: T201


async def test_a_changed_cluster_does_not_stay_warming(world):
    async with real_envoy.load(world.port) as answers:
        for timeout_s in range(2, 12):
            world.feed.publish({type_urls.CLUSTER: cluster("c0", timeout_s)})
            await world.settled()
    assert set(answers) == {(200, "one")}
    assert await world.envoy.stat("cluster_manager.warming_clusters") == 0


async def test_a_refusal_names_the_resource_keeps_traffic_and_is_mended(world):
    bad = {"safe_regex": {"regex": "[a-z"}}
    world.feed.publish({type_urls.ROUTES: routes("c0", bad)})

    async def is_refused() -> bool:
        return bool(world.feed.refused())

    await until(is_refused)
    ((type_url, name), nack), *others = world.feed.refused().items()
    assert (type_url, name, others) == (type_urls.ROUTES, "web", [])
    assert "missing ]" in nack.message
    assert world.feed.state().types[type_urls.ROUTES] == "STALE"
    assert (await real_envoy.get(world.port))[0] == 200
    world.feed.publish({type_urls.ROUTES: routes("c0")})
    await world.settled()
    assert world.feed.refused() == {}
    assert set(world.feed.state().types.values()) <= {"SYNCED", "NOT SENT"}


async def test_a_bad_cluster_is_found_and_the_good_one_beside_it_arrives(world):
    bad = encode(type_urls.CLUSTER, {"name": "bad|cluster", "type": "EDS", "connect_timeout": "-1s"})
    world.feed.publish({type_urls.CLUSTER: cluster("c0") | cluster("c1") | bad})

    async def is_refused() -> bool:
        return bool(world.feed.refused())

    await until(is_refused)
    await world.settled()
    assert list(world.feed.refused()) == [(type_urls.CLUSTER, "bad|cluster")]
    assert await world.envoy.stat("cluster_manager.active_clusters") == 3  # c0, c1 and xds itself


async def test_traffic_goes_on_without_the_control_plane_and_little_is_sent_again(world):
    await world.socket.stop()
    assert (await real_envoy.get(world.port))[0] == 200
    sent = await world.envoy.stat("cluster_manager.cds.update_attempt")
    async with real_envoy.backend("two") as second:
        world.feed.publish({type_urls.ENDPOINTS: endpoints("c0", second)})
        await world.socket.start()
        await world.answers("two")
        await world.settled()
    assert await world.envoy.stat("cluster_manager.cds.update_success") <= sent


async def test_a_killed_proxy_is_seen_to_be_gone_and_comes_back(world, tmp_path):
    world.envoy.process.kill()

    async def is_gone() -> bool:
        return not world.feed.state().is_connected

    await until(is_gone)
    second = tmp_path / "second"
    second.mkdir()
    async with real_envoy.running(real_envoy.bootstrap(world.socket.path), second):
        await world.answers("one")
        await world.settled()
