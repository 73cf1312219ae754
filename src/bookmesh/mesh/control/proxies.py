"""One running proxy: who it is, its socket, what it was given last, and what it accepted."""

from __future__ import annotations

from dataclasses import dataclass, field

from bookmesh.base.findings import ObjectRef
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.identity.certificates import WorkloadCertificate
from bookmesh.mesh.snapshot import proxy as snapshot_proxy
from bookmesh.mesh.snapshot.proxy import Proxy
from bookmesh.mesh.snapshot.snapshot import MeshSnapshot
from bookmesh.mesh.translate.resources import ResourceSet
from bookmesh.mesh.xds.nacks import Nack
from bookmesh.mesh.xds.pushing import Feed
from bookmesh.mesh.xds.resources import Encoded
from bookmesh.mesh.xds.server import ProxySocket

_TEMPLATES = "inject.istio.io/templates"


@dataclass(frozen=True, slots=True)
class Push:
    """What a proxy was given: resources, and the snapshot they were made from."""

    resources: ResourceSet
    snapshot: MeshSnapshot


@dataclass(slots=True, eq=False)
class OpenProxy:
    """
    `error` is why the latest configuration could not be built for it, "" when it could. `credentials` are the secrets
    of people that a gateway got, besides its own certificate.
    """

    proxy: Proxy
    feed: Feed
    socket: ProxySocket
    certificate: WorkloadCertificate
    pushed: Push | None = None
    accepted: Push | None = None
    error: str = ""
    credentials: dict[str, Encoded] = field(default_factory=dict)
    blamed: dict[tuple[str, str], tuple[Nack, tuple[ObjectRef, ...]]] = field(default_factory=dict)

    def blamed_for(self, key: tuple[str, str], nack: Nack) -> tuple[ObjectRef, ...]:
        """Objects blamed for this very refusal of the resource `key` (type URL, name); () when none is known."""
        known, refs = self.blamed.get(key, (None, ()))
        return refs if known is nack else ()


def build_proxy(pod: JsonObject, *, domain: str) -> Proxy:
    """
    Describe the proxy of an injected pod; its template tells a gateway from a sidecar.

    Raises:
        ValueError: the pod has no address yet.
    """
    ip = pod.get("status", {}).get("podIP", "")
    if not ip:
        raise ValueError(
            f"pod {pod['metadata'].get('namespace')}/{pod['metadata']['name']} has no address yet"
        )
    annotations = pod["metadata"].get("annotations") or {}
    is_gateway = annotations.get(_TEMPLATES, "").strip() == "gateway"
    return snapshot_proxy.build_proxy(
        pod, ip=ip, proxy_type="router" if is_gateway else "sidecar", domain=domain
    )
