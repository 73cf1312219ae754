"""
The lab as `bookmesh status` shows it: one JSON object, gathered on demand.

    {"name", "version", "extent", "age", "api": {"url"},
     "gateways": [{"service", "urls"}], "pages": [URL],
     "pods": [{"namespace", "name", "ready", "status", "proxy"}],
     "proxies": [{"id", "connected", "synced", "types", "refusals", "error"}],
     "findings": [{"code", "severity", "message", "subject", "where", "known", "hint"}]}
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import Client, JsonObject
from bookmesh.lab import labs

if TYPE_CHECKING:  # a cluster without a mesh, or without a node, does not load them
    from bookmesh.lab.nodes import NodeParts
    from bookmesh.mesh.control.control_plane import ControlPlane
    from bookmesh.mesh.control.statuses import ProxyStatus

_WEB_PORTS = ("http2", "http")
_PAGE = "/productpage"


@dataclass(frozen=True, slots=True)
class Inside:
    """The parts of a running lab that know something; None for those that it does not have."""

    name: str
    began: float
    settings: labs.LabSettings
    client: Client
    control: ControlPlane | None = None
    node: NodeParts | None = None

    async def handle(self, _request: web.Request) -> web.Response:
        """Answer `GET /lab/v1/status`."""
        return web.Response(body=orjson.dumps(await self.gather()), content_type="application/json")

    async def gather(self) -> dict[str, Any]:
        """Ask every part."""
        services = (await self.client.list(kubernetes.SERVICES)).items
        pods = (await self.client.list(kubernetes.PODS)).items
        proxies = self.control.status() if self.control else []
        gateways = list(_gateways(services, self.node)) if self.node else []
        findings = self.control.findings() if self.control else []
        if self.node:
            findings = [*findings, *self.node.ports.findings(), *self.node.outside.internet.findings()]
        has_bookinfo = any(one["metadata"]["name"] == "productpage" for one in services)
        urls = [url for gateway in gateways for url in gateway["urls"]]
        return {
            "name": self.name,
            "version": importlib.metadata.version("bookmesh"),
            "extent": self.settings.extent,
            "age": _duration(time.time() - self.began),
            "api": {"url": f"https://127.0.0.1:{self.settings.port}"},
            "gateways": gateways,
            "pages": [url + _PAGE for url in urls] if has_bookinfo else [],
            "pods": [_pod(pod, proxies) for pod in pods],
            "proxies": [_proxy(proxy) for proxy in proxies],
            "findings": [asdict(finding) for finding in findings],
        }


def _gateways(services: list[JsonObject], node: NodeParts) -> Iterator[dict[str, Any]]:
    """Services of type LoadBalancer: their address, or the node port where the host allows no address."""
    listening = set(node.ports.listening())
    for service in services:
        if service["spec"].get("type") != "LoadBalancer":
            continue
        metadata = service["metadata"]
        addresses = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        urls = []
        for port in service["spec"]["ports"]:
            if port.get("name") not in _WEB_PORTS:
                continue
            if addresses:
                suffix = "" if port["port"] == 80 else f":{port['port']}"
                urls.append(f"http://{addresses[0]['ip']}{suffix}")
            elif (node.address, port.get("nodePort")) in listening:
                urls.append(f"http://{node.address}:{port['nodePort']}")
        yield {"service": f"{metadata['namespace']}/{metadata['name']}", "urls": urls}


def _pod(pod: JsonObject, proxies: list[ProxyStatus]) -> dict[str, Any]:
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    sidecars = [one for one in spec.get("initContainers") or [] if one.get("restartPolicy") == "Always"]
    names = {one["name"] for one in [*spec["containers"], *sidecars]}
    states = [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
    ready = sum(1 for state in states if state["name"] in names and state.get("ready"))
    own = [one for one in proxies if (one.namespace, one.name) == (metadata["namespace"], metadata["name"])]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "ready": f"{ready}/{len(names)}",
        "status": "Terminating" if metadata.get("deletionTimestamp") else _phase(status, states),
        "proxy": _proxy_word(own[0]) if own else "none",
    }


def _phase(status: JsonObject, states: list[JsonObject]) -> str:
    for state in states:
        reason = state.get("state", {}).get("waiting", {}).get("reason")
        if reason and reason not in ("PodInitializing", "ContainerCreating"):
            return str(reason)
    return str(status.get("phase", "Pending"))


def _proxy_word(proxy: ProxyStatus) -> str:
    if not proxy.is_connected:
        return "not connected"
    if proxy.refusals:
        return "refused"
    return "synced" if _is_synced(proxy) else "stale"


def _is_synced(proxy: ProxyStatus) -> bool:
    return proxy.is_connected and "STALE" not in proxy.types.values()


def _proxy(proxy: ProxyStatus) -> dict[str, Any]:
    return {
        "id": proxy.id,
        "connected": proxy.is_connected,
        "synced": _is_synced(proxy),
        "types": dict(proxy.types),
        "refusals": [asdict(refusal) for refusal in proxy.refusals],
        "error": proxy.error,
    }


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"
