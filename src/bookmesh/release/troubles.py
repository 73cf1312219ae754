"""Why a pod is not ready, in a few words: what people would look for in `kubectl describe pod`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject

_BEGINNING: Final = {"ContainerCreating", "PodInitializing"}


def of_pod(pod: JsonObject) -> str:
    """What keeps a pod from being ready; "" when it is ready, or nothing is known yet."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"no node takes it: {condition.get('message', condition.get('reason', ''))}"
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return ", ".join(text for one in containers for text in _of_container(one))


def _of_container(status: Any) -> Iterator[str]:
    name, state = status["name"], status.get("state") or {}
    if status.get("ready"):
        return
    if waiting := state.get("waiting"):
        if waiting.get("reason") not in _BEGINNING:
            yield f"container {name} waits: {waiting.get('reason')}{_in_brackets(waiting.get('message'))}"
        if last := (status.get("lastState") or {}).get("terminated"):
            yield f"it {_ended(last)}"
    elif terminated := state.get("terminated"):
        if terminated["exitCode"]:
            yield f"container {name} {_ended(terminated)}"
    elif "running" in state:
        yield f"container {name} runs, and its probes do not find it ready"


def _ended(terminated: Any) -> str:
    return f"ended with exit code {terminated['exitCode']}{_in_brackets(terminated.get('reason'))}"


def _in_brackets(text: str | None) -> str:
    return f" ({text.strip().splitlines()[0]})" if text and text.strip() else ""
