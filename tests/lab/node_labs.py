"""
One node on the real kernel, with the real API, fork server and network, but without HTTP and without a mesh.

Each test runs in a child of its own that enters the lab's namespaces as `bookmesh up` does, so it works for root and
for an ordinary user, and nothing of it outlives the child.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import os
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bookmesh.base.kubernetes import EVENTS, NAMESPACES, PODS, ApiError, JsonObject
from bookmesh.base.pods import ExecOptions, LogOptions
from bookmesh.kube.api import inprocess, verbs
from bookmesh.kube.node import back_off
from bookmesh.kube.node.agent import Node
from bookmesh.kube.node.images import Image, ImageError, Listed
from bookmesh.kube.node.ports import NetworkHook
from bookmesh.kube.sandbox import forking, namespaces, network
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store as stores

NODE_ADDRESS = "127.97.250.254"


class Shell:
    """One image, `sh`: its argument is a script."""

    def resolve(self, reference: str) -> Image:
        if reference != "sh":
            raise ImageError(f'image "{reference}" is not known; use sh')
        return Image(reference, ("/bin/sh", "-c"), ("sleep 1000",))

    def version(self) -> object:
        return 0

    def listed(self) -> Sequence[Listed]:
        return ()

    def hold(self, image: Image) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class Tokens:
    def issue(self, **_wanted: Any) -> tuple[str, datetime.datetime]:
        return "a-token", datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)


class Lab:
    """The API and one node, inside of the lab's namespaces."""

    def __init__(
        self,
        directory: Path,
        forks: forking.ForkServer,
        store: stores.Store,
        *,
        network_hooks: Sequence[NetworkHook] = (),
    ) -> None:
        forks.attach(asyncio.get_running_loop())
        self.client = inprocess.InProcessClient(verbs.Verbs(store, kinds.Kinds(), schemas.Schemas.load()))
        self.node = Node(
            client=self.client,
            forks=forks,
            network=network.NodeNetwork.create(NODE_ADDRESS),
            images=Shell(),
            volume_drivers={},
            network_hooks=network_hooks,
            tokens=Tokens(),
            directory=directory / "node",
            host_ip=NODE_ADDRESS,
            restart_back_off=back_off.BackOffLimits(initial_s=0.4, maximum_s=0.8),
        )

    async def create_pod(self, name: str, *containers: JsonObject, **spec: Any) -> JsonObject:
        listed = [{"image": "sh", **container} for container in containers]
        for container in spec.get("initContainers", []):
            container.setdefault("image", "sh")
        return await self.client.create(
            PODS,
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": "default"},
                "spec": {
                    "nodeName": "bookmesh",
                    "automountServiceAccountToken": False,
                    "containers": listed,
                    **spec,
                },
            },
        )

    async def pod(self, name: str) -> JsonObject:
        return await self.client.get(PODS, name, "default")

    async def until(
        self, name: str, condition: Callable[[JsonObject], Any], *, within_s: float = 60
    ) -> JsonObject:
        """Follow the pod until its status satisfies the condition."""
        listed = await self.client.list(PODS)
        pod = await self.pod(name)
        if condition(pod):
            return pod
        try:
            async with (
                asyncio.timeout(within_s),
                contextlib.aclosing(self.client.watch(PODS, since=listed.resource_version)) as events,
            ):
                async for event in events:
                    pod = event.object
                    if pod["metadata"]["name"] == name and condition(pod):
                        return pod
        except TimeoutError:
            pass
        raise AssertionError(f"condition not met; status: {pod['status']}")

    async def gone(self, name: str) -> None:
        async with asyncio.timeout(20):
            while True:
                try:
                    await self.pod(name)
                except ApiError as error:
                    if error.code == 404:
                        return
                    raise
                await asyncio.sleep(0.01)

    async def log(self, name: str, container: str = "c", **options: Any) -> str:
        chunks = self.node.logs(await self.pod(name), LogOptions(container, **options))
        return b"".join([chunk async for chunk in chunks]).decode()

    async def run(self, name: str, *command: str, container: str = "c", **options: Any) -> tuple[int, str]:
        session = await self.node.execute(await self.pod(name), ExecOptions(container, command, **options))
        try:
            output = b"".join([data async for _, data in session.output()]).decode()
            return await session.wait(), output
        finally:
            await session.close()

    async def reasons(self) -> list[str]:
        await self.node.machinery.events.drained()
        return [event["reason"] for event in (await self.client.list(EVENTS)).items]


@contextlib.asynccontextmanager
async def running(lab: Lab) -> AsyncIterator[Lab]:
    for name in ("default", "kube-node-lease"):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        with contextlib.suppress(ApiError):
            await lab.client.create(NAMESPACES, namespace)
    task = asyncio.create_task(lab.node.run())
    try:
        yield lab
    finally:
        ended_by_itself = task.done()
        await lab.node.stop(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if ended_by_itself:
            task.result()  # what the test waited for did not come because of this error


def in_lab(test: Callable[[Lab], Awaitable[None]]) -> Callable[[Path], None]:
    """Make a test of a coroutine: fork, enter the namespaces, run it there, bring its failure back."""

    async def body(directory: Path, forks: forking.ForkServer) -> None:
        async with running(Lab(directory, forks, stores.Store.open(None))) as lab:
            await test(lab)

    @functools.wraps(test)
    def run(tmp_path: Path) -> None:
        in_child(lambda: with_forks(functools.partial(body, tmp_path)))

    del run.__wrapped__  # type: ignore[attr-defined]  # pytest would ask for the coroutine's arguments
    run.__annotations__ = {"tmp_path": Path, "return": None}
    return run


def with_forks(body: Callable[[forking.ForkServer], Awaitable[None]]) -> None:
    forks = forking.ForkServer.start(preload=[])

    async def main() -> None:
        await body(forks)

    try:
        uvloop.run(main())
    finally:
        forks.close()


def in_child(function: Callable[[], None]) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = b"ok"
        try:
            namespaces.enter_lab_namespaces(lambda pid: None)
            function()
        except BaseException:
            status = traceback.format_exc().encode()
        os.write(write, status)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        outcome = pipe.read().decode()
    os.waitpid(child, 0)
    if outcome != "ok":
        pytest.fail(outcome or "the child ended without a word", pytrace=False)


def is_ready(pod: JsonObject) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def container_status(pod: JsonObject, name: str = "c") -> JsonObject:
    statuses = [*pod["status"].get("containerStatuses", []), *pod["status"].get("initContainerStatuses", [])]
    return next((status for status in statuses if status["name"] == name), {"state": {}, "restartCount": 0})
