"""
Proxies that are none: a process of their own that speaks delta xDS as Envoy does, over real sockets, and acks all.

    python -m simulated.proxies < [{"id": NODE_ID, "socket": PATH}, …] as JSON

Each asks for all clusters and listeners, then for the endpoints and routes that those name. It runs until its standard
input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.service.discovery.v3 import discovery_pb2

from bookmesh.mesh.wire import type_urls

METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
FOLLOWED = {type_urls.CLUSTER: type_urls.ENDPOINTS, type_urls.LISTENER: type_urls.ROUTES}
_named: dict[tuple[str, str], frozenset[str]] = {}


async def run(node_id: str, socket: str) -> None:
    """Follow one stream until it ends."""
    # A socket address has 107 bytes at most: go through a descriptor of the directory.
    directory = os.open(os.path.dirname(socket), os.O_PATH | os.O_DIRECTORY)
    options = (("grpc.max_receive_message_length", -1),)
    address = f"unix:/proc/self/fd/{directory}/{os.path.basename(socket)}"
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        wanted: asyncio.Queue[discovery_pb2.DeltaDiscoveryRequest] = asyncio.Queue()
        for type_url in (type_urls.CLUSTER, type_urls.LISTENER):
            request = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url)
            request.node.id = node_id
            wanted.put_nowait(request)
        call = channel.stream_stream(
            METHOD,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )(_drain(wanted))
        known: dict[str, set[str]] = {type_urls.ENDPOINTS: set(), type_urls.ROUTES: set()}
        async for response in call:
            wanted.put_nowait(
                discovery_pb2.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
            )
            followed = FOLLOWED.get(response.type_url)
            if followed is not None:
                names = {name for resource in response.resources for name in _names_in(resource)}
                fresh = sorted(names - known[followed])
                if fresh:
                    known[followed].update(fresh)
                    wanted.put_nowait(
                        discovery_pb2.DeltaDiscoveryRequest(type_url=followed, resource_names_subscribe=fresh)
                    )


async def _drain(
    queue: asyncio.Queue[discovery_pb2.DeltaDiscoveryRequest],
) -> AsyncIterator[discovery_pb2.DeltaDiscoveryRequest]:
    while True:
        yield await queue.get()


def _names_in(resource: discovery_pb2.Resource) -> frozenset[str]:
    """What a cluster or listener asks for besides; looked up once a version, since all proxies get the same."""
    key = (resource.name, resource.version)
    if key not in _named:
        _named[key] = frozenset(_look_in(resource))
    return _named[key]


def _look_in(resource: discovery_pb2.Resource) -> list[str]:
    body = resource.resource
    if body.type_url == type_urls.CLUSTER:
        cluster = cluster_pb2.Cluster.FromString(body.value)
        return [cluster.eds_cluster_config.service_name] if cluster.type == cluster_pb2.Cluster.EDS else []
    listener = listener_pb2.Listener.FromString(body.value)
    chains = [*listener.filter_chains, listener.default_filter_chain]
    configs = [f.typed_config for chain in chains for f in chain.filters]
    managers = (
        http_connection_manager_pb2.HttpConnectionManager.FromString(config.value)
        for config in configs
        if config.type_url.endswith(".HttpConnectionManager")
    )
    return [manager.rds.route_config_name for manager in managers if manager.HasField("rds")]


async def main() -> None:
    streams = [asyncio.create_task(run(one["id"], one["socket"])) for one in json.loads(sys.stdin.readline())]
    await asyncio.to_thread(sys.stdin.read)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main())
