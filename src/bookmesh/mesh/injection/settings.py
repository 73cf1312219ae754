"""What injected pods have in common in one mesh, and Istio's names for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PROXY_CONTAINER: Final = "istio-proxy"
PROXY_VOLUME: Final = "istio-envoy"
PROXY_DIRECTORY: Final = "/etc/istio/proxy"
CSI_DRIVER: Final = "proxy.bookmesh.dev"

INJECT: Final = "sidecar.istio.io/inject"  # label (or, older, annotation) of a pod
STATUS: Final = "sidecar.istio.io/status"  # annotation that says what was injected
TEMPLATES: Final = "inject.istio.io/templates"  # annotation that picks sidecar or gateway
NATIVE: Final = "sidecar.istio.io/nativeSidecar"  # annotation: "true" for an init container that restarts
REVISION: Final = "istio.io/rev"
NAMESPACE_INJECTION: Final = "istio-injection"


class InjectionError(ValueError):
    """The pod asks for something injection cannot do; the message names the annotation."""


@dataclass(frozen=True, slots=True)
class InjectionSettings:
    """`tag` is the Istio version whose proxy image pods show; `cpu` and `memory` are its resource requests."""

    tag: str
    hub: str = "docker.io/istio"
    revision: str = "default"
    cluster_id: str = "Kubernetes"
    mesh_id: str = "cluster.local"
    trust_domain: str = "cluster.local"
    cpu: str = "10m"
    memory: str = "40Mi"

    @property
    def image(self) -> str:
        return f"{self.hub}/proxyv2:{self.tag}"
