"""A fake for each port of the node: an API of dicts, a fork server of futures, a network of words."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import itertools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bookmesh.base.kubernetes import (
    EVENTS,
    PODS,
    ApiError,
    JsonObject,
    ObjectList,
    PatchType,
    Resource,
    WatchEvent,
    conflict,
    copy_json,
    not_found,
)
from bookmesh.kube.node.back_off import BackOffLimits
from bookmesh.kube.node.context import Machinery, Settings
from bookmesh.kube.node.events import EventRecorder
from bookmesh.kube.node.images import Image, ImageError, Listed
from bookmesh.kube.sandbox.forking import Exit, SandboxError
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.specification import SandboxSpec


class FakeClient:
    """`base.kubernetes.Client` over dicts: enough of resourceVersions, merge patches and watches for a node."""

    def __init__(self) -> None:
        self.objects: dict[tuple[Resource, str, str], JsonObject] = {}
        self.writes: list[tuple[str, str]] = []
        self._version = 0
        self._uids = itertools.count(1)
        self._watches: list[tuple[Resource, asyncio.Queue[WatchEvent]]] = []

    def find(self, resource: Resource, name: str, namespace: str = "default") -> JsonObject | None:
        return self.objects.get((resource, namespace, name))

    async def get(self, resource: Resource, name: str, namespace: str = "") -> JsonObject:
        try:
            return self.objects[resource, namespace, name]
        except KeyError:
            raise not_found(resource, name) from None

    async def list(self, resource: Resource, namespace: str = "") -> ObjectList:
        found = [
            item
            for (kind, space, _), item in sorted(self.objects.items(), key=lambda entry: entry[0])
            if kind == resource and namespace in ("", space)
        ]
        return ObjectList(found, str(self._version))

    async def watch(
        self, resource: Resource, namespace: str = "", *, since: str
    ) -> AsyncIterator[WatchEvent]:
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        self._watches.append((resource, queue))
        while True:
            yield await queue.get()

    async def create(self, resource: Resource, body: JsonObject) -> JsonObject:
        body = copy_json(body)
        metadata = body["metadata"]
        key = (resource, metadata.get("namespace", ""), metadata["name"])
        if key in self.objects:
            raise ApiError(409, "AlreadyExists", f'{resource.qualified} "{metadata["name"]}" already exists')
        metadata.setdefault("uid", f"uid-{next(self._uids)}")
        return self._store(key, body, "ADDED")

    async def update(self, resource: Resource, body: JsonObject, *, subresource: str = "") -> JsonObject:
        key = (resource, body["metadata"].get("namespace", ""), body["metadata"]["name"])
        return self._store(key, copy_json(body), "MODIFIED")

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        patch: Any,
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
    ) -> JsonObject:
        current = await self.get(resource, name, namespace)
        uid = patch.get("metadata", {}).get("uid")
        if uid and uid != current["metadata"]["uid"]:
            raise conflict(resource, name, "the UID in the precondition does not match")
        self.writes.append((resource.plural, subresource))
        return self._store((resource, namespace, name), _merge(current, patch), "MODIFIED")

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        grace_s: int | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] | None = None,
        uid: str | None = None,
    ) -> None:
        current = copy_json(await self.get(resource, name, namespace))
        if uid and uid != current["metadata"]["uid"]:
            raise conflict(resource, name, "the UID in the precondition does not match")
        if resource == PODS and grace_s != 0:
            grace = current["spec"].get("terminationGracePeriodSeconds", 30) if grace_s is None else grace_s
            now = datetime.datetime.now(datetime.UTC).isoformat()
            current["metadata"] |= {"deletionTimestamp": now, "deletionGracePeriodSeconds": grace}
            self._store((resource, namespace, name), current, "MODIFIED")
            return
        del self.objects[resource, namespace, name]
        self._tell(resource, WatchEvent("DELETED", current))

    def _store(
        self, key: tuple[Resource, str, str], body: JsonObject, kind: Literal["ADDED", "MODIFIED"]
    ) -> JsonObject:
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        self.objects[key] = body
        self._tell(key[0], WatchEvent(kind, body))
        return body

    def _tell(self, resource: Resource, event: WatchEvent) -> None:
        for watched, queue in self._watches:
            if watched == resource:
                queue.put_nowait(event)


def _merge(current: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


class FakeProcess:
    """Runs until `end` or a signal it does not ignore."""

    def __init__(self, pid: int, spec: SandboxSpec, stdout: int, stdin: int | None = None) -> None:
        self.pid = pid
        self.spec = spec
        self.signals: list[int] = []
        self.ignored: set[int] = set()
        self.beside: int | None = None
        self._stdout = os.dup(stdout)
        self.stdin = None if stdin is None else os.dup(stdin)
        self._exit: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    def print(self, text: str) -> None:
        os.write(self._stdout, text.encode())

    def end(self, code: int) -> None:
        if not self._exit.done():
            os.close(self._stdout)
            if self.stdin is not None:
                os.close(self.stdin)
            self._exit.set_result(Exit(code, code - 128 if code > 128 else None))

    @property
    def has_ended(self) -> bool:
        return self._exit.done()

    async def wait(self) -> Exit:
        return await asyncio.shield(self._exit)

    def signal(self, number: int) -> None:
        if self.has_ended:
            return
        self.signals.append(number)
        if number == signal.SIGKILL or number not in self.ignored:
            self.end(128 + number)

    def end_session(self) -> None:
        self.signal(signal.SIGKILL)


Script = Callable[[FakeProcess], None]
Command = Callable[[], Awaitable[tuple[int, str]]]


class FakeForks:
    """`scripts` says what a container does when it is started, `commands` what a program answers to exec."""

    def __init__(self, *, can_change_user: bool = True) -> None:
        self.can_change_user = can_change_user
        self.scripts: dict[str, Script] = {}
        self.commands: dict[str, Command] = {}
        self.started: list[FakeProcess] = []
        self.executed: list[tuple[str, ...]] = []
        self.last_command: FakeProcess | None = None
        self.refusals: dict[str, str] = {}
        self._pids = itertools.count(100)

    def names(self) -> list[str]:
        """Names of the containers in the order of their starts."""
        return [process.spec.name.rpartition("/")[2] for process in self.started]

    def last(self, container: str) -> FakeProcess:
        return next(
            process for process in reversed(self.started) if process.spec.name.endswith(f"/{container}")
        )

    async def run(
        self,
        spec: SandboxSpec,
        *,
        netns: int,
        stdin: int | None = None,
        stdout: int,
        stderr: int,
        tty: bool = False,
        beside: int | None = None,
    ) -> FakeProcess:
        name = spec.name.rpartition("/")[2]
        if name in self.refusals:
            raise SandboxError(self.refusals[name], command_failed=True)
        process = FakeProcess(next(self._pids), spec, stdout, stdin)
        process.beside = beside
        self.started.append(process)
        if script := self.scripts.get(name):
            script(process)
        return process

    async def execute(
        self,
        pid: int,
        *,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        uid: int | None,
        gid: int | None,
        groups: Sequence[int],
        stdin: int,
        stdout: int,
        stderr: int,
        tty: bool,
    ) -> FakeProcess:
        self.executed.append(tuple(argv))
        if argv[0] not in self.commands:
            raise SandboxError(f'exec: "{argv[0]}": executable file not found in $PATH', command_failed=True)
        process = FakeProcess(next(self._pids), SandboxSpec("exec", tuple(argv), env), stdout)
        self.last_command = process
        code, output = await self.commands[argv[0]]()
        process.print(output)
        process.end(code)
        return process


class FakeNetwork:
    def __init__(self) -> None:
        self.namespace = NetworkNamespace(-1)
        self.attached: list[str] = []
        self.failures: list[OSError] = []

    def attach(self, netns: NetworkNamespace, ip: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.attached.append(ip)

    def detach(self, ip: str) -> None:
        if ip in self.attached:
            self.attached.remove(ip)


class FakeImages:
    """`known` names exist, as stand-ins unless they are `loaded`; `held` are those that containers run from."""

    def __init__(self) -> None:
        self.known = {"app"}
        self.loaded: dict[str, Image] = {}
        self.held: list[str] = []

    def resolve(self, reference: str) -> Image:
        if reference not in self.known:
            raise ImageError(f"no image {reference}")
        return self.loaded.get(reference) or Image(reference, ("/bin/app",), env={"FROM_IMAGE": "yes"})

    def version(self) -> object:
        return frozenset(self.known)

    def listed(self) -> list[Listed]:
        return [Listed((name,), 1) for name in sorted(self.loaded)]

    @contextlib.contextmanager
    def hold(self, image: Image) -> Iterator[None]:
        self.held.append(image.reference)
        yield
        self.held.remove(image.reference)


class FakeTokens:
    def __init__(self) -> None:
        self.issued = 0
        self.life = datetime.timedelta(hours=1)

    def issue(
        self,
        *,
        namespace: str,
        service_account: str,
        bound: JsonObject | None,
        audiences: Sequence[str],
        expiration_s: int,
    ) -> tuple[str, datetime.datetime]:
        self.issued += 1
        who = ",".join([namespace, service_account, *audiences])
        return f"token-{self.issued}:{who}", datetime.datetime.now(datetime.UTC) + self.life


class FakeDriver:
    def __init__(self) -> None:
        self.published: dict[Path, str] = {}
        self.failures: list[OSError] = []

    async def publish(self, pod: JsonObject, volume: JsonObject, directory: Path) -> None:
        if self.failures:
            raise self.failures.pop(0)
        (directory / "address").write_text(pod["status"]["podIP"])
        self.published[directory] = volume["name"]

    async def unpublish(self, pod: JsonObject, volume: JsonObject, directory: Path) -> None:
        self.published.pop(directory, None)


QUICK = BackOffLimits(initial_s=0.02, maximum_s=0.05, reset_s=600.0)


class Bench:
    """One of each, and a node's machinery made of them."""

    def __init__(
        self, directory: Path, *, can_change_user: bool = True, image_back_off: BackOffLimits = QUICK
    ) -> None:
        self.client = FakeClient()
        self.forks = FakeForks(can_change_user=can_change_user)
        self.network = FakeNetwork()
        self.images = FakeImages()
        self.tokens = FakeTokens()
        self.driver = FakeDriver()
        self.settings = Settings(
            directory=directory,
            node_name="bookmesh",
            host_ip="127.97.0.254",
            allocatable={"cpu": "2", "memory": "1Gi"},
            restart_back_off=QUICK,
            image_back_off=image_back_off,
            set_up_back_off=QUICK,
        )
        self.machinery = Machinery(
            client=self.client,
            forks=self.forks,
            network=self.network,
            images=self.images,
            volume_drivers={"fake.example.com": self.driver},
            network_hooks=[],
            tokens=self.tokens,
            events=EventRecorder(self.client, node_name="bookmesh"),
            settings=self.settings,
            create_namespace=lambda: NetworkNamespace(-1),
        )

    async def events(self) -> list[tuple[str, str]]:
        """(reason, message) of everything recorded; writes it first."""
        task = asyncio.create_task(self.machinery.events.run())
        await self.machinery.events.drained()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return [(event["reason"], event["message"]) for event in (await self.client.list(EVENTS)).items]


def pod(*containers: JsonObject, name: str = "web", **spec: Any) -> JsonObject:
    """A pod bound to the node, with `app` images unless said otherwise."""
    listed = [{"image": "app", **container} for container in containers or ({"name": "c"},)]
    for container in spec.get("initContainers", []):
        container.setdefault("image", "app")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-of-{name}"},
        "spec": {"nodeName": "bookmesh", "containers": listed, **spec},
        "status": {"phase": "Pending"},
    }


async def until(condition: Callable[[], Any], *, within_s: float = 20.0) -> Any:
    """Let the loop run until the condition holds, and return what it gave."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not (value := condition()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {within_s} s; last: {value!r}")
        await asyncio.sleep(0.001)
    return value
