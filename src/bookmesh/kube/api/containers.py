"""Which container of a pod a stream is about."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import statuses


def choose(pod: JsonObject, wanted: str) -> str:
    """
    The container asked for, or the only one there is.

    Raises:
        ApiError: 400 that lists the containers, when none was named or none has that name.
    """
    spec, pod_name = pod["spec"], pod["metadata"]["name"]
    names = [container["name"] for container in spec.get("containers") or []]
    initial = [container["name"] for container in spec.get("initContainers") or []]
    ephemeral = [container["name"] for container in spec.get("ephemeralContainers") or []]
    if wanted:
        if wanted not in {*names, *initial, *ephemeral}:
            raise statuses.bad_request(f"container {wanted} is not valid for pod {pod_name}")
        return wanted
    if len(names) == 1:
        return str(names[0])
    text = f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(names)}]"
    if initial:
        text += f" or one of the init containers: [{' '.join(initial)}]"
    raise statuses.bad_request(text)
