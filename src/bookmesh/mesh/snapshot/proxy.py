"""One proxy, as far as its configuration depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.registry import workloads

ProxyType = Literal["sidecar", "router"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """`id` is the Envoy node id, `TYPE~IP~POD.NAMESPACE~NAMESPACE.svc.DOMAIN`, as Istio writes it."""

    id: str
    type: ProxyType
    workload: workloads.Workload

    @property
    def namespace(self) -> str:
        return self.workload.namespace

    @property
    def ip(self) -> str:
        return self.workload.ip

    @property
    def name(self) -> str:
        """The pod's name."""
        return self.workload.pod

    @property
    def labels(self) -> Mapping[str, str]:
        return self.workload.labels

    @property
    def service_account(self) -> str:
        return self.workload.service_account


def build_proxy(
    pod: JsonObject, *, ip: str, proxy_type: ProxyType | None = None, domain: str = "cluster.local"
) -> Proxy:
    """
    Describe the proxy in `pod`, which runs (or is about to) at `ip`.

    Without `proxy_type` the arguments of container `istio-proxy` decide: `proxy router` is a gateway.
    """
    workload = workloads.build_workload(pod, ip=ip)
    proxy_type = proxy_type or _proxy_type(pod)
    node_id = f"{proxy_type}~{ip}~{workload.pod}.{workload.namespace}~{workload.namespace}.svc.{domain}"
    return Proxy(id=node_id, type=proxy_type, workload=workload)


def _proxy_type(pod: JsonObject) -> ProxyType:
    spec = pod.get("spec", {})
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        if container.get("name") == "istio-proxy" and (container.get("args") or [])[:2] == [
            "proxy",
            "router",
        ]:
            return "router"
    return "sidecar"
