"""The table of the Gateway API's kinds, as its own CRDs name them."""

from __future__ import annotations

from typing import Final

from bookmesh.mesh.model.gateway_api import (
    backend_tls_policies,
    connection_routes,
    gateway_classes,
    gateways,
    grpc_routes,
    http_routes,
    reference_grants,
)
from bookmesh.mesh.model.gateway_api.references import GROUP
from bookmesh.mesh.model.kinds import Column, Kind

BUNDLE_VERSION: Final = "v1.3.0"
CHANNEL: Final = "experimental"
GATEWAY: Final = f"Gateway.{GROUP}"
"""How references name this Gateway, since Istio has a kind of the same name."""

_HOSTNAMES: Final = Column("Hostnames", ".spec.hostnames")
_CATEGORIES: Final = ("gateway-api",)

KINDS: Final = (
    Kind(
        kind="GatewayClass",
        plural="gatewayclasses",
        short_name="gc",
        spec=gateway_classes.GatewayClass,
        group=GROUP,
        versions=("v1", "v1beta1"),
        categories=_CATEGORIES,
        is_namespaced=False,
        columns=(
            Column("Controller", ".spec.controllerName"),
            Column("Accepted", '.status.conditions[?(@.type=="Accepted")].status'),
        ),
    ),
    Kind(
        kind="Gateway",
        plural="gateways",
        short_name="gtw",
        spec=gateways.Gateway,
        group=GROUP,
        versions=("v1", "v1beta1"),
        categories=_CATEGORIES,
        ref_kind=GATEWAY,
        columns=(
            Column("Class", ".spec.gatewayClassName"),
            Column("Address", ".status.addresses[*].value"),
            Column("Programmed", '.status.conditions[?(@.type=="Programmed")].status'),
        ),
    ),
    Kind(
        kind="HTTPRoute",
        plural="httproutes",
        short_name="",
        spec=http_routes.HttpRoute,
        group=GROUP,
        versions=("v1", "v1beta1"),
        categories=_CATEGORIES,
        columns=(_HOSTNAMES,),
    ),
    Kind(
        kind="GRPCRoute",
        plural="grpcroutes",
        short_name="",
        spec=grpc_routes.GrpcRoute,
        group=GROUP,
        versions=("v1",),
        categories=_CATEGORIES,
        columns=(_HOSTNAMES,),
    ),
    Kind(
        kind="TLSRoute",
        plural="tlsroutes",
        short_name="",
        spec=connection_routes.TlsRoute,
        group=GROUP,
        versions=("v1alpha2",),
        categories=_CATEGORIES,
    ),
    Kind(
        kind="TCPRoute",
        plural="tcproutes",
        short_name="",
        spec=connection_routes.TcpRoute,
        group=GROUP,
        versions=("v1alpha2",),
        categories=_CATEGORIES,
    ),
    Kind(
        kind="ReferenceGrant",
        plural="referencegrants",
        short_name="refgrant",
        spec=reference_grants.ReferenceGrant,
        group=GROUP,
        versions=("v1beta1",),
        categories=_CATEGORIES,
    ),
    Kind(
        kind="BackendTLSPolicy",
        plural="backendtlspolicies",
        short_name="btlspolicy",
        spec=backend_tls_policies.BackendTlsPolicy,
        group=GROUP,
        versions=("v1alpha3",),
        categories=_CATEGORIES,
    ),
)
