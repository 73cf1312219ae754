"""Names and addresses as Istio gives them: what people see in `istioctl`, metrics and access logs."""

from __future__ import annotations

from typing import Final

from bookmesh.mesh.snapshot import credentials, sidecars
from bookmesh.mesh.snapshot import settings as settings_

OUTBOUND_PORT: Final = 15001
INBOUND_PORT: Final = 15006

PASSTHROUGH: Final = "PassthroughCluster"
BLACKHOLE: Final = "BlackHoleCluster"
INBOUND_PASSTHROUGH: Final = "InboundPassthroughCluster"

ANY_ADDRESS: Final = sidecars.ANY_ADDRESS
# Connections to the local application come from here, so that the redirect rules can tell them apart.
INBOUND_SOURCE: Final = "127.0.0.6"

# ALPN names by which sidecars know each other; the second group tells that HTTP is inside.
MESH_ALPN: Final = ("istio-peer-exchange", "istio")
MESH_HTTP_ALPN: Final = ("istio-http/1.0", "istio-http/1.1", "istio-h2")
PLAIN_HTTP_ALPN: Final = ("http/1.1", "h2c")


def outbound_cluster(host: str, port: int, subset: str = "") -> str:
    return f"outbound|{port}|{subset}|{host}"


def is_outbound(cluster: str) -> bool:
    """Whether a cluster is one of a service's port, and not one of those that every proxy has."""
    return cluster.startswith("outbound|")


def parse_outbound(cluster: str) -> tuple[int, str, str]:
    """(port, subset, host) of the name of an outbound cluster."""
    _, port, subset, host = cluster.split("|")
    return int(port), subset, host


def outbound_sni(host: str, port: int, subset: str = "") -> str:
    """The server name a sidecar sends, from which the peer can tell the cluster."""
    return f"outbound_.{port}_.{subset}_.{host}"


def catch_all_cluster(settings: settings_.MeshSettings) -> str:
    """
    Where traffic to services nobody knows goes.

    Source: MeshConfig and Sidecar `outboundTrafficPolicy`.
    """
    if settings.outbound_traffic_policy != "ALLOW_ANY":
        return BLACKHOLE
    return outbound_cluster(*settings.egress_proxy) if settings.egress_proxy else PASSTHROUGH


def inbound_cluster(port: int) -> str:
    return f"inbound|{port}||"


def listener(address: str, port: int) -> str:
    return f"{address}_{port}"


def gateway_routes(target_port: int, bind: str = "") -> str:
    return f"http.{target_port}.{bind}" if bind else f"http.{target_port}"


def https_routes(number: int, port_name: str, gateway: str, namespace: str) -> str:
    return f"https.{number}.{port_name}.{gateway}.{namespace}"


def stats_prefix(name: str) -> str:
    """Close a name in statistics, so that the dots in it cannot be taken for separators."""
    return name + ";"


def pair_secret(credential: str) -> str:
    """The name under which a proxy gets certificate and key of a Secret."""
    return credential if credentials.is_reference(credential) else f"kubernetes://{credential}"


def trusted_secret(credential: str) -> str:
    """The name under which a proxy gets the certificates to verify others with."""
    return f"{pair_secret(credential).removesuffix(credentials.CA_SUFFIX)}{credentials.CA_SUFFIX}"


def spiffe_id(trust_domain: str, namespace: str, service_account: str) -> str:
    return f"spiffe://{trust_domain}/ns/{namespace}/sa/{service_account}"
