"""Which handlers of RuntimeClasses this node has: its own, by its name and by the usual one."""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import RUNTIME_CLASSES, ApiError, Client, JsonObject

HANDLERS: Final = ("bookmesh", "runc")


async def check(client: Client, pod: JsonObject) -> None:
    """
    See that the pod can be run by the runtime that it wants.

    Raises:
        RuntimeError: there is no such runtime, in the words of containerd and the kubelet.
    """
    name = pod["spec"].get("runtimeClassName")
    if not name:
        return
    try:
        handler = (await client.get(RUNTIME_CLASSES, name))["handler"]
    except ApiError as error:
        if error.code != 404:
            raise
        raise RuntimeError(f'failed to get sandbox runtime: RuntimeClass "{name}" not found') from error
    if handler not in HANDLERS:
        raise RuntimeError(f'failed to get sandbox runtime: no runtime for "{handler}" is configured')
