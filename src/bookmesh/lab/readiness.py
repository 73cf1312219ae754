"""
When is a lab up? When its ingress gateway answers on the host, seen from outside as a person would see it.

A gateway that its owner deleted or scaled to nothing is not waited for.
"""

from __future__ import annotations

import asyncio
from typing import Final

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, Client, JsonObject
from bookmesh.kube.node.host_ports import HostPorts

NAMESPACE: Final = "istio-system"
GATEWAY: Final = "istio-ingressgateway"
_STATUS_PORT: Final = "status-port"
_RETRY_S: Final = 0.02


async def wait_for_gateway(client: Client, ports: HostPorts) -> None:
    """Return when the gateway's status port answers on the host. The caller limits how long."""
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
        current = [one for one in listed.items if one["metadata"]["name"] == GATEWAY]
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
