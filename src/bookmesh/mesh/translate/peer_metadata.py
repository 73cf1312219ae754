"""
Who a proxy is, told to the peer in request headers, and kept from the application behind the peer.

    x-envoy-peer-metadata-id   the proxy's node id
    x-envoy-peer-metadata      facts about its workload: a protobuf Struct in base64

Proxies share their routes, so the values are expressions over each one's own node, which the bootstrap describes. As in
Istio they go to every host, one without a proxy included.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.wire import core, messages

HEADERS: Final = ("x-envoy-peer-metadata", "x-envoy-peer-metadata-id")
NODE_KEY: Final = "PEER_METADATA"
_VALUES: Final = (f"%CEL(xds.node.metadata.{NODE_KEY})%", "%CEL(xds.node.id)%")


def encode(proxy: proxies.Proxy, settings: settings_.MeshSettings) -> str:
    """Encode the facts about a proxy's workload; the same facts give the same text."""
    workload = proxy.workload
    facts: dict[str, str | Mapping[str, str]] = {
        "NAME": proxy.name,
        "NAMESPACE": proxy.namespace,
        "WORKLOAD_NAME": workload.name,
        "CLUSTER_ID": settings.cluster_id,
        "INSTANCE_IPS": proxy.ip,
        "OWNER": f"kubernetes://apis/apps/v1/namespaces/{proxy.namespace}/deployments/{workload.name}",
        "LABELS": {
            "app": workload.labels.get("app", workload.canonical_name),
            "version": workload.labels.get("version", workload.canonical_revision),
            "service.istio.io/canonical-name": workload.canonical_name,
            "service.istio.io/canonical-revision": workload.canonical_revision,
        },
    }
    return base64.b64encode(messages.struct(facts).SerializeToString(deterministic=True)).decode()


def announcement() -> list[core.HeaderValueOption]:
    """Build the headers that say who sends a request, whatever it said before."""
    return [
        core.HeaderValueOption(
            header=core.HeaderValue(key=name, value=value),
            append_action=core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for name, value in zip(HEADERS, _VALUES, strict=True)
    ]
