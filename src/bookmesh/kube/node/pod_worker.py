"""
The life of one pod, in one task: network, volumes, init containers, containers, and the way back.

    run -> network -> volumes -> init containers, one by one -> containers -> (they all ended, or deletion)
        -> containers stop, then sidecars in reverse -> volumes and network go -> the API object goes

Ordinary containers that the pod names as companions are sidecars too, and start before the init containers.

Nothing in here is cancelled half-way: every wait also ends when the pod is asked to stop.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import shutil
from collections.abc import Callable, Coroutine
from typing import Any

from bookmesh.base.kubernetes import PODS, ApiError, JsonObject
from bookmesh.kube.node import (
    process_sharing,
    records,
    runtime_handlers,
    sources,
    status,
    status_writing,
    unsupported,
    waiting,
)
from bookmesh.kube.node.addresses import PodAddresses
from bookmesh.kube.node.back_off import BackOff
from bookmesh.kube.node.containers import ContainerRunner
from bookmesh.kube.node.context import Machinery, PodContext
from bookmesh.kube.node.pod_network import PodNetwork
from bookmesh.kube.node.records import ContainerRecord, Terminated
from bookmesh.kube.node.volumes import VolumeError

_log = logging.getLogger(__name__)

_SIDECAR_LEAST_S = 2.0
"""Sidecars get this long to end even when the containers before them used up the whole grace period."""
_GONE_GRACE_S = 1.0
_EVICTED_GRACE_S = 1.0
"""Grace of a pod whose object was removed by force: nobody waits for it, but its processes may still tidy up."""
_RETRY_DELETE_S = 1.0
_ENDED = ("Succeeded", "Failed")
_TOO_LONG = "Pod was active on the node longer than the specified deadline"


class PodWorker:
    """
    Attributes:
        context: the pod and its state.
        runners: by container name; those that were begun.
    """

    def __init__(self, machinery: Machinery, pod: JsonObject, *, addresses: PodAddresses) -> None:
        self.context = PodContext(machinery, pod, now=_now())
        self.runners: dict[str, ContainerRunner] = {}
        self._machinery = machinery
        self._network = PodNetwork(self.context, addresses)
        self._sharing = process_sharing.ProcessSharing(self.context)
        self._is_set_up = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._deadline: waiting.Deadline | None = None
        self._is_urgent = False
        self._must_delete = False
        self._forget = False
        self._volumes_version = 0
        self._had_ended = (pod.get("status") or {}).get("phase") in _ENDED
        self.update(pod)

    def update(self, pod: JsonObject) -> None:
        """Take a new version of the pod; a deletion, or a shorter grace period, takes effect at once."""
        previous, self.context.pod = self.context.pod, pod
        metadata = pod["metadata"]
        if any(metadata.get(key) != previous["metadata"].get(key) for key in ("labels", "annotations")):
            self.context.note_sources_change()
        if metadata.get("deletionTimestamp"):
            self._must_delete = self._forget = True
            self.stop(float(self.context.grace_s))
        self._take_in_ephemeral()
        self.context.status_changed.fire()

    def vanish(self) -> None:
        """The object is gone from the API: end quickly."""
        self._must_delete, self._forget = False, True
        self.stop(_GONE_GRACE_S)

    def stop(self, grace_s: float) -> None:
        """Ask the pod to end within `grace_s`; asking again can only make it sooner."""
        self._is_urgent = grace_s <= _GONE_GRACE_S
        if self._deadline is None:
            self._deadline = waiting.Deadline(grace_s)
        else:
            self._deadline.shorten(grace_s)
        self._stopping.set()

    def refers_to(self, kind: str, name: str) -> bool:
        """Whether a change of the ConfigMap or Secret `name` of the pod's namespace concerns it."""
        references = sources.references_of(self.context.pod)
        return name in (references.config_maps if kind == "ConfigMap" else references.secrets)

    async def run(self) -> None:
        """
        Live from beginning to end; returns when nothing of the pod is left on the node.

        Raises:
            Exception: a container could not be run by an error of this program; nothing is left then either.
        """
        if not self._had_ended:
            writer = status_writing.StatusWriter(self.context)
            tasks = [asyncio.create_task(writer.run())]
            try:
                if not self._stopping.is_set():
                    await self._live(tasks)
                await self._stop_containers()
                if not self._stopping.is_set():
                    self._conclude()
            finally:
                await waiting.end_tasks(tasks)
            await self._tear_down()
            await writer.write()
            for task in self._tasks.values():
                task.result()
        await self._stopping.wait()
        await self._tear_down()
        if self._must_delete:
            await self._delete_object()
        if self._forget:
            logs = self._machinery.settings.log_directory(self.context.pod)
            await asyncio.to_thread(shutil.rmtree, logs, True)

    async def _live(self, tasks: list[asyncio.Task[None]]) -> None:
        """From nothing to the end of all containers, or until the pod is asked to stop; `tasks` live as long."""
        context = self.context
        context.record.start_time = context.record.start_time or _now()
        if self._lost_its_only_run():
            return
        can_change_user = self._machinery.forks.can_change_user
        for message in unsupported.unsupported_parts(context.pod, can_change_user=can_change_user):
            self._machinery.events.warning(context.pod, "NotHonoured", f"{unsupported.CODE} {message}")
        for step in (self._set_up_sandbox, self._sharing.set_up, self._set_up_volumes):
            if not await self._set_up(step):
                return
        self._is_set_up = True
        self._take_in_ephemeral()
        tasks.append(asyncio.create_task(self._refresh_volumes()))
        tasks.append(asyncio.create_task(self._expire(context.record.start_time)))
        for record in (*context.record.companions, *context.record.init):
            if not await self._run_init(record):
                return
        for record in context.record.own:
            if self._stopping.is_set():
                return
            if isinstance(record.state, Terminated):
                continue
            runner = self._begin(record)
            await waiting.first_of(runner.attempted.wait(), self._stopping.wait())
        apps = [self._tasks[record.name] for record in context.record.own if record.name in self._tasks]
        await waiting.first_of(_all(apps), self._stopping.wait())

    def _lost_its_only_run(self) -> bool:
        """Whether containers ran before the node restarted and may not be run a second time."""
        context = self.context
        if context.restart_policy != "Never":
            return False
        lost = [record for record in context.record.app if record.last is not None]
        for record in lost:
            record.restart_count -= 1
            record.state, record.last = record.last or record.state, None
        return bool(lost)

    async def _set_up(self, step: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Do a step until it succeeds, with back-off; False when the pod was asked to stop."""
        back_off = BackOff(self._machinery.settings.set_up_back_off, first_at_once=False)
        while not self._stopping.is_set():
            version = self.context.sources_version
            try:
                await step()
            except VolumeError as error:
                self._warn("FailedMount", str(error))
                waits = [self.context.sources_change_after(version), self._stopping.wait()]
            except (OSError, RuntimeError, ApiError) as error:
                self._warn("FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}")
                waits = [self._stopping.wait()]
            else:
                return not self._stopping.is_set()
            await waiting.first_of(*waits, timeout_s=back_off.delay_s())
        return False

    async def _set_up_sandbox(self) -> None:
        await runtime_handlers.check(self._machinery.client, self.context.pod)
        await self._network.set_up()

    async def _set_up_volumes(self) -> None:
        context = self.context
        self._volumes_version = context.sources_version
        await context.volumes.set_up(context.addressed_pod(), await self._machinery.read_sources(context.pod))

    async def _run_init(self, record: ContainerRecord) -> bool:
        """Run one init container, or start a sidecar; False when nothing after it may start."""
        runner = self._begin(record)
        done = runner.started.wait() if record.role == "sidecar" else _all([self._tasks[record.name]])
        await waiting.first_of(done, self._stopping.wait())
        if self._stopping.is_set():
            return False
        self.context.status_changed.fire()
        return record.role == "sidecar" or record.has_succeeded

    def _begin(self, record: ContainerRecord) -> ContainerRunner:
        runner = self.runners[record.name] = ContainerRunner(
            self.context, record, lambda: self._sharing.neighbour_of(record.spec, self.runners)
        )
        task = self._tasks[record.name] = asyncio.create_task(
            runner.supervise(), name=f"container {record.name}"
        )
        task.add_done_callback(self._end_if_broken)
        return runner

    def _end_if_broken(self, task: asyncio.Task[None]) -> None:
        """End the pod when a container failed by an error of this program; `run` then raises it."""
        if not task.cancelled() and task.exception() is not None:
            self.stop(_GONE_GRACE_S)

    def _take_in_ephemeral(self) -> None:
        """Note the ephemeral containers that are new, and start those that have not run once the pod is set up."""
        listed = self.context.record.ephemeral
        known = {record.name for record in listed}
        for spec in self.context.pod["spec"].get("ephemeralContainers") or []:
            if spec["name"] not in known:
                listed.append(records.ephemeral_record(spec, now=_now()))
        for record in listed:
            is_new = record.name not in self.runners and not isinstance(record.state, Terminated)
            if is_new and self._is_set_up and not self._stopping.is_set():
                self._begin(record)

    async def _stop_containers(self) -> None:
        """End what runs: containers and a running init container together, then sidecars, last started first."""
        deadline = self._deadline = self._deadline or waiting.Deadline(float(self.context.grace_s))
        record = self.context.record
        started = (*record.companions, *record.init)
        sidecars = [each.name for each in started if each.role == "sidecar"]
        self._is_set_up = False
        await self._stop_all([name for name in self.runners if name not in sidecars], deadline)
        for name in reversed([name for name in sidecars if name in self.runners]):
            if deadline.remaining_s() < _SIDECAR_LEAST_S and not self._is_urgent:
                deadline = self._deadline = waiting.Deadline(_SIDECAR_LEAST_S)
            await self._stop_all([name], deadline)

    async def _stop_all(self, names: list[str], deadline: waiting.Deadline) -> None:
        for name in names:
            self.runners[name].request_stop(deadline)
        await _all([self._tasks[name] for name in names])

    def _conclude(self) -> None:
        """Fix the phase of a pod that ended by itself."""
        self.context.record.phase = status.phase_of(self.context.pod, self.context.record)
        self.context.status_changed.fire()

    async def _tear_down(self) -> None:
        context = self.context
        try:
            await context.volumes.tear_down(context.addressed_pod())
        except (OSError, ValueError) as error:
            self._warn("FailedUnMount", str(error))
        self._sharing.tear_down()
        await self._network.tear_down()

    async def _refresh_volumes(self) -> None:
        """Bring volumes up to date when a source changed or a token is about to end."""
        context = self.context
        while True:
            due_s = context.volumes.refresh_due_in_s()
            await waiting.first_of(context.sources_change_after(self._volumes_version), timeout_s=due_s)
            self._volumes_version = context.sources_version
            try:
                await context.volumes.refresh(
                    context.addressed_pod(), await self._machinery.read_sources(context.pod)
                )
            except VolumeError as error:
                self._warn("FailedMount", str(error))
            except ApiError as error:
                _log.warning("volumes of pod %s not refreshed: %s", context.full_name, error.message)

    async def _expire(self, started: datetime.datetime) -> None:
        """End a pod that is still there after its `activeDeadlineSeconds`, for good."""
        limit_s = self.context.pod["spec"].get("activeDeadlineSeconds")
        if limit_s is None:
            return
        await asyncio.sleep(limit_s - (_now() - started).total_seconds())
        self._machinery.events.normal(self.context.pod, "DeadlineExceeded", _TOO_LONG)
        self._fail("DeadlineExceeded", _TOO_LONG, grace_s=float(self.context.grace_s))

    def evict(self, why: str) -> None:
        """End a pod that takes more of the node than it may, for good; it is told once."""
        if not self._stopping.is_set():
            self._warn("Evicted", why)
            self._fail("Evicted", why, grace_s=_EVICTED_GRACE_S)

    def _fail(self, reason: str, message: str, *, grace_s: float) -> None:
        record = self.context.record
        record.phase, record.reason, record.message = "Failed", reason, message
        self.context.status_changed.fire()
        self.stop(grace_s)

    async def _delete_object(self) -> None:
        """Remove the object, since nothing of the pod is left; tries again while the API refuses."""
        metadata = self.context.pod["metadata"]
        while self._must_delete:
            try:
                await self._machinery.client.delete(
                    PODS, metadata["name"], metadata["namespace"], grace_s=0, uid=metadata["uid"]
                )
                return
            except ApiError as error:
                if error.code in (404, 409):
                    return
                _log.warning("pod %s not deleted: %s", self.context.full_name, error.message)
            await asyncio.sleep(_RETRY_DELETE_S)

    def _warn(self, reason: str, message: str) -> None:
        self._machinery.events.warning(self.context.pod, reason, message)


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for tasks without ending them when the wait itself is ended; what they raised stays with them."""
    if tasks:
        await asyncio.wait(tasks)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
