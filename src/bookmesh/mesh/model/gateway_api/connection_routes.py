"""TLSRoute and TCPRoute (gateway.networking.k8s.io): where connections go."""

from __future__ import annotations

from typing import Annotated

import msgspec

from bookmesh.mesh.model.base import Model
from bookmesh.mesh.model.gateway_api.references import BackendRef, Hostname, ParentReference


class ConnectionRouteRule(Model, frozen=True):
    """
    Where connections go.

    name: A name for the rule.
    backend_refs: Services with weights.
    """

    name: str = ""
    backend_refs: tuple[BackendRef, ...] = ()


Rules = Annotated[tuple[ConnectionRouteRule, ...], msgspec.Meta(min_length=1, max_length=16)]


class TlsRoute(Model, frozen=True):
    """
    Where TLS connections go that are passed through; the name in the greeting decides.

    parent_refs: The Gateways, or in the mesh the Services, whose connections are meant.
    hostnames: Names in the TLS greeting; may start with a wildcard; all without it.
    rules: Where they go.
    """

    rules: Rules
    parent_refs: tuple[ParentReference, ...] = ()
    hostnames: tuple[Hostname, ...] = ()


class TcpRoute(Model, frozen=True):
    """
    Where TCP connections go.

    parent_refs: The Gateways, or in the mesh the Services, whose connections are meant.
    rules: Where they go.
    """

    rules: Rules
    parent_refs: tuple[ParentReference, ...] = ()
