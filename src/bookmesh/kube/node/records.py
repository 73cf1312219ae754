"""
What the node knows about the containers of a pod, from which its status is built. Pure.

A record is written by the one task that runs the container and read by `status`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Literal

from bookmesh.base import pods
from bookmesh.base.kubernetes import JsonObject

Role = Literal["init", "sidecar", "app", "ephemeral"]


@dataclass(frozen=True, slots=True)
class Waiting:
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    started_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Terminated:
    """An end; `reason` is Completed, Error, OOMKilled, StartError or ContainerStatusUnknown."""

    exit_code: int
    reason: str
    started_at: datetime.datetime | None
    finished_at: datetime.datetime
    signal: int | None = None
    message: str = ""
    container_id: str = ""


State = Waiting | Running | Terminated


@dataclass(slots=True)
class ContainerRecord:
    """
    One container of one pod over all its restarts.

    Attributes:
        spec: the container as the pod has it.
        last: how the run before the present state ended.
        restart_count: also the number of the present run, and the name of its log file.
        started: its start-up probe, if any, has passed.
        ready: it runs and its readiness probe, if any, passes; an init container is ready when it succeeded.
    """

    spec: JsonObject
    role: Role
    state: State
    last: Terminated | None = None
    restart_count: int = 0
    started: bool = False
    ready: bool = False
    container_id: str = ""
    image_id: str = ""

    @property
    def name(self) -> str:
        name: str = self.spec["name"]
        return name

    @property
    def has_succeeded(self) -> bool:
        return isinstance(self.state, Terminated) and self.state.exit_code == 0

    @property
    def is_complete(self) -> bool:
        """Nothing after it in start order has to wait for it any longer."""
        if self.role == "init":
            return self.has_succeeded
        return self.started


@dataclass(slots=True)
class PodRecord:
    """All containers of one pod in the order of the spec, and what the pod itself has reached."""

    init: list[ContainerRecord]
    app: list[ContainerRecord]
    ephemeral: list[ContainerRecord] = field(default_factory=list)
    """Those that joined later; they run once, and nothing depends on them."""
    ip: str | None = None
    host_ip: str = ""
    start_time: datetime.datetime | None = None
    sandbox_ready: bool = False
    phase: str | None = None
    """Set once the pod has ended for good: Succeeded or Failed, whatever the containers say from then on."""
    reason: str = ""
    message: str = ""
    unsupported: list[str] = field(default_factory=list)

    @property
    def containers(self) -> list[ContainerRecord]:
        return [*self.init, *self.app, *self.ephemeral]

    @property
    def companions(self) -> list[ContainerRecord]:
        """Sidecars among the ordinary containers; they start before all others."""
        return [record for record in self.app if record.role == "sidecar"]

    @property
    def own(self) -> list[ContainerRecord]:
        """The containers that the pod is there for."""
        return [record for record in self.app if record.role == "app"]


def initial_record(pod: JsonObject, *, now: datetime.datetime) -> PodRecord:
    """
    Begin the record of a pod, continuing what its status says when it ran before the node restarted.

    A container that had run counts one restart more, and what it did before ended in a way nobody saw. One that had
    succeeded and may not run again stays so.
    """
    spec, status = pod["spec"], pod.get("status") or {}
    known = {
        item["name"]: item
        for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
        for item in status.get(key) or []
    }
    has_init = bool(spec.get("initContainers"))
    init = [
        _container(item, role_of(item), known.get(item["name"]), reason="PodInitializing", now=now)
        for item in spec.get("initContainers") or []
    ]
    reason = "PodInitializing" if has_init else "ContainerCreating"
    companions = companions_of(pod)
    app = [
        _container(
            item,
            "sidecar" if item["name"] in companions else "app",
            known.get(item["name"]),
            reason=reason,
            now=now,
        )
        for item in spec["containers"]
    ]
    if spec.get("restartPolicy", "Always") == "OnFailure":
        for record in app:
            if record.role == "app" and record.last is not None and record.last.exit_code == 0:
                record.state, record.last = record.last, None
                record.restart_count -= 1
    ephemeral = [
        ephemeral_record(item, known.get(item["name"]), now=now)
        for item in spec.get("ephemeralContainers") or []
    ]
    started = parse_time(status.get("startTime"))
    return PodRecord(init=init, app=app, ephemeral=ephemeral, start_time=started)


def ephemeral_record(
    spec: JsonObject, known: JsonObject | None = None, *, now: datetime.datetime
) -> ContainerRecord:
    """Begin the record of an ephemeral container; one that has run before the node restarted does not run again."""
    record = _container(spec, "ephemeral", known, reason="ContainerCreating", now=now)
    if record.last is not None:
        record.state, record.last, record.restart_count = record.last, None, 0
    return record


def companions_of(pod: JsonObject) -> frozenset[str]:
    """The ordinary containers that live as sidecars do: first to start, last to end, and not what the pod is for."""
    listed = (pod["metadata"].get("annotations") or {}).get(pods.COMPANIONS_ANNOTATION, "")
    return frozenset(name.strip() for name in listed.split(",") if name.strip())


def role_of(init_container: JsonObject) -> Role:
    """An init container that restarts always is a sidecar."""
    return "sidecar" if init_container.get("restartPolicy") == "Always" else "init"


def _container(
    spec: JsonObject, role: Role, known: JsonObject | None, *, reason: str, now: datetime.datetime
) -> ContainerRecord:
    record = ContainerRecord(spec=spec, role=role, state=Waiting(reason))
    if known is None:
        return record
    record.restart_count = known.get("restartCount", 0)
    record.last = _parse_terminated((known.get("lastState") or {}).get("terminated"), now=now)
    state = known.get("state") or {}
    if "terminated" in state:
        record.last = _parse_terminated(state["terminated"], now=now)
        record.restart_count += 1
    elif "running" in state:
        record.last = Terminated(
            exit_code=137,
            reason="ContainerStatusUnknown",
            message="The container could not be located when the node restarted",
            started_at=parse_time(state["running"].get("startedAt")),
            finished_at=now,
            container_id=known.get("containerID", ""),
        )
        record.restart_count += 1
    return record


def _parse_terminated(state: JsonObject | None, *, now: datetime.datetime) -> Terminated | None:
    if not state:
        return None
    started = parse_time(state.get("startedAt"))
    return Terminated(
        exit_code=state["exitCode"],
        reason=state.get("reason", "Error"),
        message=state.get("message", ""),
        signal=state.get("signal"),
        started_at=started,
        finished_at=parse_time(state.get("finishedAt")) or started or now,
        container_id=state.get("containerID", ""),
    )


def parse_time(text: str | None) -> datetime.datetime | None:
    """Parse the RFC 3339 time of an API object."""
    return datetime.datetime.fromisoformat(text) if text else None


def format_time(moment: datetime.datetime) -> str:
    """Format a time as API objects have it: UTC, whole seconds."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
