"""
One container over all its runs: what it needs before it can start, the restart policy and its back-off.

The states a person sees are the kubelet's: ErrImagePull and ImagePullBackOff, CreateContainerConfigError,
CreateContainerError, CrashLoopBackOff. The first restart is immediate; then it waits 10 s, doubling up to 300 s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from bookmesh.base.kubernetes import SERVICES, ApiError
from bookmesh.kube.node import environment, network_files, process_spec, pulling, unsupported, waiting
from bookmesh.kube.node.back_off import BackOff
from bookmesh.kube.node.container_run import ContainerRun
from bookmesh.kube.node.context import PodContext
from bookmesh.kube.node.images import Image
from bookmesh.kube.node.records import ContainerRecord, Terminated, Waiting
from bookmesh.kube.node.sources import CreationError, SourceError
from bookmesh.kube.sandbox.specification import SandboxSpec


class ContainerRunner:
    """
    Runs one container until it has ended for good: `supervise` in a task, `request_stop` from anywhere.

    Attributes:
        attempted: the first start was tried, well or not; containers after this one need not wait any longer.
        started: a start-up probe, if any, has passed once; never set for a container that did not get so far.
        current: the run that goes on now.
    """

    def __init__(
        self, context: PodContext, record: ContainerRecord, beside: Callable[[], int | None]
    ) -> None:
        """`beside` gives the pid of the process whose PID namespace a run joins, if any; raises SourceError."""
        self._beside = beside
        self.record = record
        self.attempted = asyncio.Event()
        self.started = asyncio.Event()
        self.current: ContainerRun | None = None
        self._context = context
        self._settings = context.machinery.settings
        self._events = context.machinery.events
        self._back_off = BackOff(self._settings.restart_back_off, first_at_once=True)
        self._has_run = False
        self._stop: asyncio.Future[waiting.Deadline] = asyncio.get_running_loop().create_future()

    def request_stop(self, deadline: waiting.Deadline) -> None:
        """End the container by the deadline and start it no more; more calls do nothing."""
        if not self._stop.done():
            self._stop.set_result(deadline)

    async def supervise(self) -> None:
        """Start, and start again as the restart policy says, until it may not run any more."""
        try:
            while not self._stop.done():
                ended = await self._run_once()
                if ended is None or self._stop.done() or not self._should_restart(ended):
                    return
                await self._wait_before_restart(ended)
        finally:
            self.attempted.set()
            self._settle()

    async def _run_once(self) -> Terminated | None:
        """None: asked to stop before there was anything to run."""
        with contextlib.ExitStack() as held:
            prepared = await self._prepare(held)
            return None if prepared is None else await self._run_prepared(*prepared)

    async def _run_prepared(self, image: Image, spec: SandboxSpec, beside: int | None) -> Terminated:
        record = self.record
        self._tell_unsupported(image)
        if isinstance(record.state, Terminated):
            record.last = record.state
        record.restart_count += self._has_run
        self._has_run = True
        run = self.current = ContainerRun(
            self._context,
            record,
            spec,
            image=image,
            beside=beside,
            stop=self._stop,
            on_started=self.started.set,
        )
        attempted = asyncio.create_task(self._note_attempt(run))
        try:
            record.state = ended = await run.run()
        finally:
            self.current = None
            await waiting.end_tasks([attempted])
        self.attempted.set()
        record.ready = record.role == "init" and record.has_succeeded
        record.started = False
        self._drop_old_logs()
        self._context.status_changed.fire()
        return ended

    async def _note_attempt(self, run: ContainerRun) -> None:
        await run.attempted.wait()
        self.attempted.set()

    async def _prepare(self, held: contextlib.ExitStack) -> tuple[Image, SandboxSpec, int | None] | None:
        """
        Find the image, build the process and know its neighbour; waits until that is possible. None when asked to stop.

        The files of the image that is returned stay until `held` is closed.
        """
        back_off = BackOff(self._settings.set_up_back_off, first_at_once=False)
        pull = self._pulling()
        while not self._stop.done():
            version = self._context.sources_version
            image = await pull.find(held)
            if image is None:
                return None
            try:
                return image, await self._build_spec(image), self._beside()
            except (SourceError, ApiError) as error:
                reason, message = "CreateContainerConfigError", str(error)
            except CreationError as error:
                reason, message = "CreateContainerError", str(error)
            held.close()
            self._events.warning(self._context.pod, "Failed", f"Error: {message}", container=self.record.name)
            self._show_unattempted(reason, message)
            await waiting.first_of(
                self._context.sources_change_after(version), self._stopped(), timeout_s=back_off.delay_s()
            )
        return None

    def _pulling(self) -> pulling.Pulling:
        return pulling.Pulling(
            self._context,
            self.record.name,
            self.record.spec["image"],
            policy=self.record.spec.get("imagePullPolicy", ""),
            stop=self._stop,
            show=self._show_unattempted,
        )

    async def _build_spec(self, image: Image) -> SandboxSpec:
        context, settings, container = self._context, self._settings, self.record.spec
        pod = context.addressed_pod()
        namespace = pod["metadata"]["namespace"]
        services = await context.machinery.client.list(SERVICES, namespace)
        variables = environment.build_service_variables(
            services.items,
            namespace=namespace,
            links=pod["spec"].get("enableServiceLinks", True),
        )
        own = environment.build_environment(
            container,
            pod=pod,
            sources=await context.machinery.read_sources(pod),
            service_variables=variables,
            allocatable=settings.allocatable,
        )
        return process_spec.build_spec(
            container,
            pod=pod,
            image=image,
            environment=own,
            mounts=context.volumes.build_mounts(container, own),
            files=network_files.build_network_files(
                pod, ip=context.record.ip or "", resolver=settings.resolver
            ),
        )

    def _tell_unsupported(self, image: Image) -> None:
        if self._has_run or image.layers:
            return
        for message in unsupported.unsupported_by_stand_in(self.record.spec):
            self._events.warning(self._context.pod, "NotHonoured", f"{unsupported.CODE} {message}")

    def _should_restart(self, ended: Terminated) -> bool:
        policy = self._context.restart_policy
        if self.record.role in ("sidecar", "ephemeral"):
            return self.record.role == "sidecar"
        if self.record.role == "init" and policy == "Always":
            policy = "OnFailure"
        return policy == "Always" or (policy == "OnFailure" and ended.exit_code != 0)

    async def _wait_before_restart(self, ended: Terminated) -> None:
        ran = ended.finished_at - (ended.started_at or ended.finished_at)
        delay_s = self._back_off.delay_s(ran_for_s=ran.total_seconds())
        if not delay_s:
            return
        name, full_name = self.record.name, self._context.full_name
        self._events.warning(
            self._context.pod,
            "BackOff",
            f"Back-off restarting failed container {name} in pod {full_name}",
            container=name,
        )
        self._show_waiting(
            "CrashLoopBackOff", f"back-off {delay_s:g}s restarting failed container={name} pod={full_name}"
        )
        await waiting.first_of(self._stopped(), timeout_s=delay_s)

    def _show_unattempted(self, reason: str, message: str) -> None:
        """The container waits for something that may never come: others need not wait for it."""
        self._show_waiting(reason, message)
        self.attempted.set()

    def _show_waiting(self, reason: str, message: str) -> None:
        """Replace the state; how a run ended stays visible as the last state."""
        if isinstance(self.record.state, Terminated):
            self.record.last = self.record.state
        self.record.state = Waiting(reason, message)
        self._context.status_changed.fire()

    def _settle(self) -> None:
        """Leave a state that is true for a container that will not run again."""
        if isinstance(self.record.state, Waiting) and self.record.last is not None and self._stop.done():
            self.record.state = self.record.last
            self.record.last = None
        self.record.ready = self.record.ready and self.record.role == "init"
        self._context.status_changed.fire()

    def _drop_old_logs(self) -> None:
        """Keep the logs of the present run and of the one before."""
        directory = self._context.log_path(self.record.name, 0).parent
        for path in directory.glob("*.log*"):
            if int(path.name.partition(".")[0]) < self.record.restart_count - 1:
                path.unlink()

    async def _stopped(self) -> None:
        await asyncio.shield(self._stop)
