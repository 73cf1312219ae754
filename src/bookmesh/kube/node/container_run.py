"""
One run of one container: from the start of its process to its end.

The task that calls `run` owns the process. Everybody else asks: who stops the pod through a deadline, probes and the
postStart hook by declaring the container unhealthy.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import secrets
import signal
from collections.abc import Callable
from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import (
    handlers,
    log_files,
    probes,
    standard_streams,
    termination_messages,
    waiting,
)
from bookmesh.kube.node.context import PodContext
from bookmesh.kube.node.images import Image
from bookmesh.kube.node.ports import Process
from bookmesh.kube.node.records import ContainerRecord, Running, Terminated
from bookmesh.kube.sandbox.forking import SandboxError
from bookmesh.kube.sandbox.specification import SandboxSpec

_START_ERROR = 128
_PIPES_DRAIN_S = 2.0


class ContainerRun:
    """
    Attributes:
        spec: what the process was started with; a command that is executed beside it gets the same environment.
        log: of this run; it ends with the run.
        streams: for who attaches while it runs.
        attempted: the process was started and its postStart hook is through, or it could not be started.
    """

    def __init__(
        self,
        context: PodContext,
        record: ContainerRecord,
        spec: SandboxSpec,
        *,
        image: Image,
        beside: int | None,
        stop: asyncio.Future[waiting.Deadline],
        on_started: Callable[[], None],
    ) -> None:
        """`beside` is the pid of the process whose PID namespace this one joins, if any."""
        self._log_path = context.log_path(record.name, record.restart_count)
        self._message = termination_messages.TerminationMessage(
            record.spec, self._log_path.with_suffix(".end")
        )
        self.spec = dataclasses.replace(spec, mounts=(*spec.mounts, self._message.mount()))
        self.log = log_files.ContainerLog(self._log_path)
        self.streams = standard_streams.StandardStreams(record.spec, self.log)
        self.attempted = asyncio.Event()
        self.process: Process | None = None
        self._is_too_large = False
        self._context = context
        self._record = record
        self._image = image
        self._beside = beside
        self._stop = stop
        self._on_started = on_started
        self._started_at = datetime.datetime.now(datetime.UTC)
        self._unhealthy: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """The grace in seconds with which to end a container that a probe or its postStart hook gave up."""

    async def run(self) -> Terminated:
        """Start the process and stay with it until it has ended; failing to start is an end too."""
        container_id = f"bookmesh://{secrets.token_hex(32)}"
        self._record.image_id = self._image.image_id or self._record.spec["image"]
        try:
            self.process = await self._start()
        except SandboxError as error:
            self.log.end()
            self._warn("Failed", f"Error: {error}")
            return self._ended(_START_ERROR, "StartError", str(error), container_id)
        self._started_at = datetime.datetime.now(datetime.UTC)
        self._record.state = Running(self._started_at)
        self._record.container_id = container_id
        # Before anybody is told, so that a container without probes is ready in the first status that has it running.
        watchers = [asyncio.create_task(self._after_start(self.process))]
        self._tell("Created", f"Created container: {self._record.name}")
        self._tell("Started", f"Started container {self._record.name}")
        try:
            code = await self._until_exit(self.process)
        finally:
            await waiting.end_tasks(watchers)
            self._record.ready = self._record.started = False
        if self._beside is not None:
            self.process.end_session()  # no end of a PID namespace does it
        if not await self.streams.drain(_PIPES_DRAIN_S):
            self._warn("Failed", f"output of container {self._record.name} was still open after its end")
        self.log.end()
        message = self._message.take(code=code, log=self._log_path)
        reason = "OOMKilled" if self._is_too_large else "Completed" if code == 0 else "Error"
        return self._ended(code, reason, message, container_id)

    def end_for_memory(self) -> None:
        """Kill the process, which has more memory than its container may have."""
        if self.process is not None:
            self._is_too_large = True
            self.process.signal(signal.SIGKILL)

    async def _start(self) -> Process:
        forks, streams = self._context.machinery.forks, self.streams
        try:
            if self.spec.uid and forks.can_change_user:
                streams.give_to(self.spec.uid)
            process = await forks.run(
                self.spec,
                netns=self._context.open_netns.fd,
                stdin=streams.stdin,
                stdout=streams.stdout,
                stderr=streams.stderr,
                tty=streams.tty,
                beside=self._beside,
            )
        except BaseException:
            streams.abandon()
            raise
        streams.begin()
        return process

    async def _until_exit(self, process: Process) -> int:
        exited = asyncio.create_task(_exit_code(process))
        ends: set[asyncio.Future[Any]] = {exited, self._stop, self._unhealthy}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not exited.done():
            if self._stop.done():
                self._tell("Killing", f"Stopping container {self._record.name}")
            await self._terminate(process, exited)
        return await exited

    async def _terminate(self, process: Process, exited: asyncio.Task[int]) -> None:
        """PreStop hook, the image's signal to stop, and SIGKILL when the time is over, which may be at once."""
        over = asyncio.create_task(self._time_over())
        hook = asyncio.create_task(self._pre_stop(process))
        try:
            await asyncio.wait({exited, over, hook}, return_when=asyncio.FIRST_COMPLETED)
            if not exited.done() and not over.done():
                process.signal(self._image.stop_signal)
                await asyncio.wait({exited, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await waiting.end_tasks([over, hook])
        process.signal(signal.SIGKILL)
        await exited

    async def _time_over(self) -> None:
        """Wait for the deadline of the pod's end or, after a failed probe, of the restart: whichever comes first."""

        async def pod_ends() -> None:
            deadline = await asyncio.shield(self._stop)
            await deadline.wait()

        if self._unhealthy.done():
            await waiting.first_of(pod_ends(), waiting.Deadline(self._unhealthy.result()).wait())
        else:
            await pod_ends()

    async def _pre_stop(self, process: Process) -> None:
        if hook := (self._record.spec.get("lifecycle") or {}).get("preStop"):
            result = await self._perform_hook(hook, process)
            if not result.success:
                self._warn("FailedPreStopHook", f"PreStopHook failed: {result.message}")

    async def _after_start(self, process: Process) -> None:
        """What goes on beside the running process: the postStart hook, then its probes."""
        if hook := (self._record.spec.get("lifecycle") or {}).get("postStart"):
            result = await self._perform_hook(hook, process)
            if not result.success:
                self._warn("FailedPostStartHook", f"PostStartHook failed: {result.message}")
                self._give_up(float(self._context.grace_s))
                return
        self.attempted.set()
        if startup := probes.parse_probe(self._record.spec, "startup"):
            await self._watch(startup, process)
            if self._unhealthy.done():
                return
        self._record.started = True
        self._on_started()
        readiness = probes.parse_probe(self._record.spec, "readiness")
        liveness = probes.parse_probe(self._record.spec, "liveness")
        self._record.ready = readiness is None
        self._context.status_changed.fire()
        await asyncio.gather(*(self._watch(probe, process) for probe in (readiness, liveness) if probe))

    async def _watch(self, probe: probes.Probe, process: Process) -> None:
        """Look until the container ends; a start-up probe also ends at its first success."""
        judge = probes.ProbeJudge(probe)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(probe.initial_delay_s)
        first_at = loop.time()
        while True:
            at = loop.time()
            result = await handlers.perform(probe.handler, self._target(process), timeout_s=probe.timeout_s)
            judgement = judge.judge(result.success, at_s=at)
            # A look right after the start that fails is no news; the kubelet's first one comes later.
            if not result.success and judgement.counted and (at > first_at or judgement.passing is False):
                self._warn("Unhealthy", f"{probe.kind.capitalize()} probe failed: {result.message}")
            if probe.kind == "readiness":
                if judgement.passing is not None and judgement.passing != self._record.ready:
                    self._record.ready = judgement.passing
                    self._context.status_changed.fire()
            elif judgement.passing is False:
                self._tell(
                    "Killing", f"Container {self._record.name} failed {probe.kind} probe, will be restarted"
                )
                self._give_up(float(self._context.grace_s if probe.grace_s is None else probe.grace_s))
                return
            elif judgement.passing and probe.kind == "startup":
                return
            await asyncio.sleep(max(0.0, at + judgement.next_s - loop.time()))

    def _give_up(self, grace_s: float) -> None:
        if not self._unhealthy.done():
            self._unhealthy.set_result(grace_s)

    async def _perform_hook(self, hook: JsonObject, process: Process) -> handlers.Result:
        if "sleep" in hook:
            await asyncio.sleep(hook["sleep"]["seconds"])
            return handlers.Result(True)
        return await handlers.perform(hook, self._target(process), timeout_s=None)

    def _target(self, process: Process) -> handlers.Target:
        machinery = self._context.machinery
        ports = self._record.spec.get("ports") or []
        return handlers.Target(
            node=machinery.network.namespace,
            pod=self._context.open_netns,
            forks=machinery.forks,
            ip=self._context.record.ip or "",
            ports={port["name"]: port["containerPort"] for port in ports if "name" in port},
            pid=process.pid,
            spec=self.spec,
        )

    def _ended(self, code: int, reason: str, message: str, container_id: str) -> Terminated:
        self.attempted.set()
        return Terminated(
            exit_code=code,
            reason=reason,
            message=message,
            started_at=self._started_at,
            finished_at=datetime.datetime.now(datetime.UTC),
            container_id=container_id,
        )

    def _tell(self, reason: str, message: str) -> None:
        self._context.machinery.events.normal(self._context.pod, reason, message, container=self._record.name)
        self._context.status_changed.fire()

    def _warn(self, reason: str, message: str) -> None:
        self._context.machinery.events.warning(
            self._context.pod, reason, message, container=self._record.name
        )


async def _exit_code(process: Process) -> int:
    """128 + n for signal n. When the fork server itself ended, all its processes were killed."""
    try:
        return (await process.wait()).code
    except SandboxError:
        return 128 + signal.SIGKILL
