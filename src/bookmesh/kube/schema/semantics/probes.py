"""Probes and lifecycle hooks of a container."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause

_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "sleep")
_COUNTS: Final = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
_SUCCESS_ONCE: Final = ("livenessProbe", "startupProbe")


def check(container: JsonObject, where: str) -> list[Cause]:
    """Check every probe and hook of `container`, which is at path `where`."""
    found: list[Cause] = []
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is None:
            continue
        found += _check_handler(probe, f"{where}.{name}", _HANDLERS)
        for count in _COUNTS:
            if probe.get(count, 0) < 0:
                why = "must be greater than or equal to 0"
                found.append(causes.invalid(f"{where}.{name}.{count}", probe[count], why))
        if name in _SUCCESS_ONCE and probe.get("successThreshold", 1) > 1:
            found.append(
                causes.invalid(f"{where}.{name}.successThreshold", probe["successThreshold"], "must be 1")
            )
    for name, hook in (container.get("lifecycle") or {}).items():
        if name in ("postStart", "preStop"):
            found += _check_handler(hook, f"{where}.lifecycle.{name}", _HOOK_HANDLERS)
    return found


def _check_handler(owner: JsonObject, where: str, known: tuple[str, ...]) -> list[Cause]:
    handlers = [name for name in known if owner.get(name) is not None]
    if not handlers:
        return [causes.required(where, "must specify a handler type")]
    found = [
        causes.forbidden(f"{where}.{extra}", "may not specify more than 1 handler type")
        for extra in handlers[1:]
    ]
    handler = owner[handlers[0]]
    path = f"{where}.{handlers[0]}"
    if handlers[0] == "exec" and not handler.get("command"):
        found.append(causes.required(f"{path}.command"))
    if handlers[0] in ("httpGet", "tcpSocket", "grpc"):
        found += names.check_port(f"{path}.port", handler.get("port", 0))
    return found
