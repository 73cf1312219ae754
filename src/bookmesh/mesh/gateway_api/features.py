"""
The features of the Gateway API's conformance profiles that this mesh claims.

Names are those of the specification; the status of our GatewayClass lists them. Each is shown by tests that carry the
marker `feature`; tools/gen_gateway_api.py writes both down for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

GATEWAY_HTTP: Final = "GATEWAY-HTTP"
GATEWAY_GRPC: Final = "GATEWAY-GRPC"
GATEWAY_TLS: Final = "GATEWAY-TLS"
MESH_HTTP: Final = "MESH-HTTP"
_ROUTES: Final = (GATEWAY_HTTP, MESH_HTTP)
_GATEWAYS: Final = (GATEWAY_HTTP, GATEWAY_GRPC, GATEWAY_TLS)


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature, with the profiles it belongs to and what it means in a few words."""

    name: str
    meaning: str
    profiles: tuple[str, ...]
    level: Literal["core", "extended"] = "extended"


FEATURES: Final = (
    Feature("Gateway", "listeners, attached routes, statuses", _GATEWAYS, "core"),
    Feature("ReferenceGrant", "references across namespaces need permission", _GATEWAYS, "core"),
    Feature("HTTPRoute", "routing by host, path and header; weights", _ROUTES, "core"),
    Feature("Mesh", "routes of Services, for one port or all", (MESH_HTTP,), "core"),
    Feature("GRPCRoute", "routing by service, method and header", (GATEWAY_GRPC,), "core"),
    Feature("TLSRoute", "routing of TLS that goes through, by the name asked for", (GATEWAY_TLS,), "core"),
    Feature("GatewayHTTPListenerIsolation", "a request belongs to its most specific listener", _GATEWAYS),
    Feature("GatewayPort8080", "a listener on port 8080", _GATEWAYS),
    Feature("GatewayInfrastructurePropagation", "labels and annotations for what is deployed", _GATEWAYS),
    Feature("HTTPRouteBackendRequestHeaderModification", "request headers for one backend", _ROUTES),
    Feature("HTTPRouteQueryParamMatching", "routing by parameters of the query", _ROUTES),
    Feature("HTTPRouteMethodMatching", "routing by method", _ROUTES),
    Feature("HTTPRouteResponseHeaderModification", "changes to response headers", _ROUTES),
    Feature("HTTPRoutePortRedirect", "redirection to another port", _ROUTES),
    Feature("HTTPRouteSchemeRedirect", "redirection to another scheme", _ROUTES),
    Feature("HTTPRoutePathRedirect", "redirection to another path or prefix", _ROUTES),
    Feature("HTTPRouteHostRewrite", "another Host header for the backend", _ROUTES),
    Feature("HTTPRoutePathRewrite", "another path or prefix for the backend", _ROUTES),
    Feature("HTTPRouteRequestMirror", "a copy of requests for another backend", _ROUTES),
    Feature("HTTPRouteRequestMultipleMirrors", "copies for several backends", _ROUTES),
    Feature("HTTPRouteRequestPercentageMirror", "copies of a share of the requests", _ROUTES),
    Feature("HTTPRouteRequestTimeout", "a limit for the whole request", _ROUTES),
    Feature("HTTPRouteBackendTimeout", "a limit for one try", _ROUTES),
    Feature("HTTPRouteParentRefPort", "routes for one port of a Gateway", _ROUTES),
    Feature("HTTPRouteBackendProtocolH2C", "HTTP/2 to backends whose port says so", _ROUTES),
    Feature("HTTPRouteBackendProtocolWebSocket", "connections that become WebSockets", _ROUTES),
    Feature("MeshConsumerRoute", "routes for one's own calls to a Service elsewhere", (MESH_HTTP,)),
)
