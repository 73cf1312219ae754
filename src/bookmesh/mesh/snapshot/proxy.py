"""One proxy, as far as its configuration depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot import proxy_configs, proxy_fields, settings

_META_PREFIX: Final = "ISTIO_META_"
ProxyType = Literal["sidecar", "router"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """
    `id` is the Envoy node id, `TYPE~IP~POD.NAMESPACE~NAMESPACE.svc.DOMAIN`, as Istio writes it. `stats_inclusions` are
    (prefix | suffix | regex, text) of statistics that it keeps besides those of every proxy. `metadata` is what the
    proxy says about itself: variables `ISTIO_META_NAME` of its container as `NAME`, and `ISTIO_VERSION`. Connections of
    its pod are redirected to it if it `is_intercepting`. `topology` is what stands before a gateway, None for what the
    mesh says about it.
    """

    id: str
    type: ProxyType
    workload: workloads.Workload
    stats_inclusions: tuple[tuple[str, str], ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict, compare=False)
    is_intercepting: bool = True
    topology: settings.Topology | None = None

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

    Raises:
        ValueError: annotation `proxy.istio.io/config` cannot be read.
    """
    workload = workloads.build_workload(pod, ip=ip)
    proxy_type = proxy_type or _proxy_type(pod)
    node_id = f"{proxy_type}~{ip}~{workload.pod}.{workload.namespace}~{workload.namespace}.svc.{domain}"
    metadata = _metadata(pod)
    return Proxy(
        id=node_id,
        type=proxy_type,
        workload=workload,
        stats_inclusions=_stats_inclusions(pod),
        metadata=metadata,
        is_intercepting=metadata.get("INTERCEPTION_MODE") != "NONE",
        topology=_topology(pod),
    )


def _stats_inclusions(pod: JsonObject) -> tuple[tuple[str, str], ...]:
    """From the pod's ProxyConfig, and from the older annotations with lists."""
    annotations = pod["metadata"].get("annotations") or {}
    found = [*proxy_fields.inclusions(proxy_configs.read_annotation(annotations))]
    for kind, name in (("prefix", "Prefixes"), ("suffix", "Suffixes"), ("regex", "Regexps")):
        listed = annotations.get(f"sidecar.istio.io/statsInclusion{name}", "")
        found += [(kind, text.strip()) for text in listed.split(",") if text.strip()]
    return tuple(dict.fromkeys(found))


def _topology(pod: JsonObject) -> settings.Topology | None:
    config = proxy_configs.read_annotation(pod["metadata"].get("annotations") or {})
    return proxy_fields.topology(config) if "gatewayTopology" in config else None


def _proxy_type(pod: JsonObject) -> ProxyType:
    return "router" if (_container(pod).get("args") or [])[:2] == ["proxy", "router"] else "sidecar"


def _metadata(pod: JsonObject) -> dict[str, str]:
    container = _container(pod)
    image, _, tag = str(container.get("image", "")).rpartition(":")
    found = {
        variable["name"].removeprefix(_META_PREFIX): variable["value"]
        for variable in container.get("env") or ()
        if variable["name"].startswith(_META_PREFIX) and variable.get("value")
    }
    return found | ({"ISTIO_VERSION": tag} if image and tag else {})


def _container(pod: JsonObject) -> JsonObject:
    """The container of the proxy; empty when there is none."""
    spec = pod.get("spec", {})
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return next((c for c in containers if c.get("name") == "istio-proxy"), {})
