"""
Which parts of a pod specification cannot be honoured here: each gives a Warning event BM0302 on the pod. Pure.

What is listed is ignored, and the pod runs. Volumes of an unknown kind are not here: they keep the pod from starting.
"""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import privileges

CODE = "BM0302"

_POD_FLAGS = {
    "hostNetwork": "the pod has a network and an address of its own",
    "hostPID": "processes outside of the container stay invisible",
    "hostIPC": "the container has an IPC namespace of its own",
}


def unsupported_parts(pod: JsonObject, *, can_change_user: bool) -> list[str]:
    """Name each part by its field path and say what happens instead."""
    spec = pod["spec"]
    found = [f"spec.{name}: {instead}" for name, instead in _POD_FLAGS.items() if spec.get(name)]
    shared = spec.get("securityContext") or {}
    if not can_change_user and (shared.get("fsGroup") is not None or shared.get("supplementalGroups")):
        found.append(
            "spec.securityContext: fsGroup and supplementalGroups have no effect, volumes are open to all; "
            "a lab started by root can change groups"
        )
    for part in ("initContainers", "containers"):
        for container in spec.get(part) or []:
            path = f"spec.{part}{{{container['name']}}}"
            found += _of_container(container, shared, path, can_change_user=can_change_user)
    return found


def unsupported_by_stand_in(container: JsonObject) -> list[str]:
    """The same for what an image cannot do that has no root file system of its own."""
    if not (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
        return []
    return [
        f"container {container['name']}, securityContext.readOnlyRootFilesystem: the root file system of a stand-in "
        "stays writable, that of a loaded image would not"
    ]


def _of_container(
    container: JsonObject, shared: JsonObject, path: str, *, can_change_user: bool
) -> list[str]:
    own = container.get("securityContext") or {}
    found = []
    uid = own.get("runAsUser", shared.get("runAsUser"))
    if uid and not can_change_user:
        found.append(
            f"{path}.securityContext.runAsUser: the container runs as uid 0 of the lab's user namespace, not as {uid}; "
            "a lab started by root can change users"
        )
    if own.get("privileged"):
        found.append(f"{path}.securityContext.privileged: the host's devices stay invisible")
    if refused := privileges.refused_capabilities(container):
        found.append(
            f"{path}.securityContext.capabilities: {', '.join(refused)} would reach beyond the pod, and is not added"
        )
    if container.get("volumeDevices"):
        found.append(f"{path}.volumeDevices: there are no block devices")
    return found
