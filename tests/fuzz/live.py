"""
Real Envoys that get one configuration after the other over xDS, and say what they refuse.

They carry no traffic: listeners do not bind, and clusters do not wait for DNS.
"""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.protobuf import wrappers_pb2
from tests.golden.translate import worlds
from tests.protocol import real_envoy

from bookmesh.mesh.control import sds
from bookmesh.mesh.identity.authority import CertificateAuthority
from bookmesh.mesh.snapshot.proxy import Proxy
from bookmesh.mesh.translate import filters
from bookmesh.mesh.translate.resources import ResourceSet
from bookmesh.mesh.wire import cluster, type_urls
from bookmesh.mesh.xds import resources
from bookmesh.mesh.xds.pushing import Feed
from bookmesh.mesh.xds.server import ProxySocket

ANSWER_LIMIT_S = 60.0


class Live:
    """One Envoy that stands for one proxy."""

    def __init__(self, feed: Feed, secrets: dict[str, Any], answered: asyncio.Event) -> None:
        self._feed = feed
        self._secrets = secrets
        self._answered = answered

    async def offer(self, world: worlds.World, resource_set: ResourceSet) -> list[tuple[str, str, str]]:
        """Publish a configuration and wait for the answer; gives (type, resource, message) of what is refused."""
        encoded = {
            type_url: {
                name: resources.encode(
                    type_url, name, _without_traffic(type_url, message).SerializeToString()
                )
                for name, message in resource_set.messages(type_url).items()
            }
            for type_url in type_urls.TRANSLATED
        }
        assert world.proxy is not None
        credentials = sds.build_credentials(world.snapshot, world.proxy.namespace)
        self._feed.publish({**encoded, type_urls.SECRET: self._secrets | credentials})
        async with asyncio.timeout(ANSWER_LIMIT_S):
            while not self._feed.is_settled():
                self._answered.clear()
                await self._answered.wait()
        return [
            (type_urls.SHORT_NAMES[type_url], name, nack.message)
            for (type_url, name), nack in self._feed.refused().items()
        ]


def _without_traffic(type_url: str, message: Any) -> Any:
    if type_url not in (type_urls.LISTENER, type_urls.CLUSTER):
        return message
    copy = type(message)()
    copy.CopyFrom(message)
    if type_url == type_urls.LISTENER:
        copy.bind_to_port.CopyFrom(wrappers_pb2.BoolValue(value=False))
        if copy.address.HasField("pipe"):  # it would bind all the same
            number = zlib.crc32(copy.address.pipe.path.encode()) % 65535 + 1
            copy.address.CopyFrom(filters.address("127.0.0.9", number))
        return copy
    if copy.type in (cluster.Cluster.STRICT_DNS, cluster.Cluster.LOGICAL_DNS):
        copy.wait_for_warm_on_init.CopyFrom(wrappers_pb2.BoolValue(value=False))
    return copy


class Envoys:
    """Envoys by proxy, started when first needed; they run in a thread of their own, with its event loop."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._authority = CertificateAuthority.open(directory / "ca")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="envoys")
        self._live: dict[str, Live] = {}
        self._ending: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._thread.start()

    def refusals(self, world: worlds.World) -> list[tuple[str, str, str]]:
        """What the Envoy of the world's proxy refuses of what translation makes for it."""
        return asyncio.run_coroutine_threadsafe(self._offer(world), self._loop).result()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _offer(self, world: worlds.World) -> list[tuple[str, str, str]]:
        assert world.proxy is not None
        resource_set = world.resources()
        live = self._live.get(world.proxy.id) or await self._start(world.proxy)
        return await live.offer(world, resource_set)

    async def _start(self, proxy: Proxy) -> Live:
        ready: asyncio.Future[Live] = self._loop.create_future()
        self._tasks.append(asyncio.create_task(self._run(proxy, ready)))
        self._live[proxy.id] = await ready
        return self._live[proxy.id]

    async def _run(self, proxy: Proxy, ready: asyncio.Future[Live]) -> None:
        directory = self._directory / proxy.name
        directory.mkdir()
        answered, ending = asyncio.Event(), asyncio.Event()
        feed = Feed(proxy.id, on_answer=lambda _: answered.set())
        socket = ProxySocket(feed, directory)
        await socket.start()
        certificate = self._authority.issue(namespace=proxy.namespace, service_account=proxy.service_account)
        self._ending.append(ending)
        async with real_envoy.running(real_envoy.bootstrap(socket.path, proxy.id), directory):
            ready.set_result(Live(feed, sds.build_secrets(certificate), answered))
            await ending.wait()
        await socket.stop()

    async def _end(self) -> None:
        for ending in self._ending:
            ending.set()
        await asyncio.gather(*self._tasks)


@contextmanager
def envoys(directory: Path) -> Iterator[Envoys]:
    running = Envoys(directory)
    try:
        yield running
    finally:
        running.stop()
