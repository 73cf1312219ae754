"""
When is a lab up? When its ingress gateway answers on the host, seen from outside as a person would see it.

A gateway that its owner deleted or scaled to nothing is not waited for. One that is not ready in time is described as
`kubectl describe` would show it: the pod, why it waits, and what happened to it last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from bookmesh.base import findings, kubernetes
from bookmesh.base.kubernetes import ApiError, Client, JsonObject
from bookmesh.kube.node.host_ports import HostPorts

NAMESPACE: Final = "istio-system"
GATEWAY: Final = "istio-ingressgateway"
_STATUS_PORT: Final = "status-port"
_RETRY_S: Final = 0.02


async def wait_for_gateway(client: Client, ports: HostPorts, *, patience_s: float) -> None:
    """
    Return when the gateway's status port answers on the host.

    Raises:
        BookmeshError: BM0111, it does not after `patience_s`.
    """
    try:
        async with asyncio.timeout(patience_s):
            await _wait_for_gateway(client, ports)
    except TimeoutError:
        raise findings.BookmeshError(await _look_at_gateway(client, patience_s=patience_s)) from None


async def _wait_for_gateway(client: Client, ports: HostPorts) -> None:
    if not await _wait_until_available(client):
        return
    service = await client.get(kubernetes.SERVICES, GATEWAY, NAMESPACE)
    places = {port.get("nodePort") for port in service["spec"]["ports"] if port.get("name") == _STATUS_PORT}
    while True:
        for address, port in ports.listening():
            if port in places and await _answers(address, port):
                return
        await asyncio.sleep(_RETRY_S)


def is_available(deployment: JsonObject) -> bool:
    """Whether the controller has seen the newest specification and all of its pods are available."""
    status = deployment.get("status", {})
    wanted = deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 1)
    return bool(seen and status.get("availableReplicas", 0) >= wanted)


async def _wait_until_available(client: Client) -> bool:
    """Whether there is a gateway with pods at all; when there is, all of them are available."""
    while True:
        listed = await client.list(kubernetes.DEPLOYMENTS, NAMESPACE)
        current = [one for one in listed.items if _is_gateway(one)]
        if not current or current[0]["spec"].get("replicas", 1) == 0:
            return False
        if is_available(current[0]):
            return True
        try:
            async for event in client.watch(kubernetes.DEPLOYMENTS, NAMESPACE, since=listed.resource_version):
                if event.type != "BOOKMARK" and event.object["metadata"]["name"] == GATEWAY:
                    break
        except ApiError as error:
            if error.code != 410:
                raise


async def _answers(address: str, port: int) -> bool:
    """Whether Envoy says it is ready there."""
    try:
        reader, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    try:
        writer.write(f"GET /healthz/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        return (await reader.readline()).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
    finally:
        writer.close()


async def _look_at_gateway(client: Client, *, patience_s: float) -> findings.Finding:
    deployments = (await client.list(kubernetes.DEPLOYMENTS, NAMESPACE)).items
    selector = next(
        (one["spec"]["selector"].get("matchLabels") or {} for one in deployments if _is_gateway(one)), {}
    )
    pods = [
        pod
        for pod in (await client.list(kubernetes.PODS, NAMESPACE)).items
        if selector and selector.items() <= (pod["metadata"].get("labels") or {}).items()
    ]
    events = (await client.list(kubernetes.EVENTS, NAMESPACE)).items
    return describe(pods, events, patience_s=patience_s)


def describe(
    pods: Sequence[JsonObject], events: Sequence[JsonObject], *, patience_s: float
) -> findings.Finding:
    """Say what a gateway that is not ready waits for: its first pod that is not, the reason, and its last event."""
    waiting = [pod for pod in pods if not _is_ready(pod)]
    subject = waiting[0]["metadata"]["name"] if waiting else ""
    if subject:
        known = (
            f"pod {NAMESPACE}/{subject} is not ready: {', '.join(_reasons(waiting[0])) or 'no reason given'}"
        )
    elif pods:
        known = f"its pods are ready, but port {_STATUS_PORT} of service {NAMESPACE}/{GATEWAY} does not answer here"
    else:
        known = f"deployment {NAMESPACE}/{GATEWAY} has no pod"
    about = [event for event in events if subject in ("", event["involvedObject"].get("name"))]
    if about:
        last = max(about, key=_time_of)
        known += f"; last event: {last.get('reason', '')}: {last.get('message', '')}"
    return findings.Finding(
        code="BM0111",
        message=f"the ingress gateway is not ready after {patience_s:g} s, and the lab stays up",
        subject=findings.ObjectRef("Deployment", GATEWAY, NAMESPACE),
        known=known,
        hint="bookmesh kubectl -n istio-system describe pods tells more; --timeout waits longer, and bookmesh down "
        "ends the lab",
    )


def _is_gateway(deployment: JsonObject) -> bool:
    return bool(deployment["metadata"]["name"] == GATEWAY)


def _is_ready(pod: JsonObject) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _reasons(pod: JsonObject) -> Iterator[str]:
    """Why each container is not running; of a pod whose containers run, what its conditions say."""
    status = pod.get("status", {})
    found = False
    for container in [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]:
        for state in (container.get("state") or {}).values():
            if state.get("reason") and state["reason"] not in ("PodInitializing", "Completed"):
                found = True
                said = f" ({state['message']})" if state.get("message") else ""
                yield f"{container['name']}: {state['reason']}{said}"
    for condition in status.get("conditions") or ():
        if not found and condition["status"] == "False" and condition.get("reason"):
            yield f"{condition['type']} is False: {condition.get('message') or condition['reason']}"


def _time_of(event: JsonObject) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])
