"""GRPCRoute (gateway.networking.k8s.io): how gRPC calls are routed, behind a Gateway or in the mesh."""

from __future__ import annotations

from typing import Annotated, Literal

from bookmesh.mesh.model import expressions
from bookmesh.mesh.model.base import Model, PortNumber, defaulted
from bookmesh.mesh.model.gateway_api.filters import GrpcRouteFilter
from bookmesh.mesh.model.gateway_api.http_routes import HeaderMatch
from bookmesh.mesh.model.gateway_api.references import Hostname, Name, ParentReference, Persistence, Weight


class GrpcMethodMatch(Model, frozen=True):
    """
    A condition on the method that is called; at least one of `service` and `method` is given.

    type: Exact or RegularExpression (RE2).
    service: The service, such as helloworld.Greeter.
    method: The method, such as SayHello.
    """

    type: Annotated[Literal["Exact", "RegularExpression"], defaulted("Exact")] = "Exact"
    service: str | None = None
    method: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.service is None and self.method is None:
            raise ValueError("one of service and method is required")
        if self.type == "RegularExpression":
            for text in (self.service, self.method):
                if text:
                    expressions.check(text)


class GrpcRouteMatch(Model, frozen=True):
    """
    Conditions on a call; all that are given must hold.

    method: The method that is called.
    headers: Headers.
    """

    method: GrpcMethodMatch | None = None
    headers: tuple[HeaderMatch, ...] = ()


class GrpcBackendRef(Model, frozen=True):
    """
    A service that receives calls, with its share.

    group: The API group; the core group without it.
    kind: The kind.
    name: The name.
    namespace: The namespace; another one than that of the route needs a ReferenceGrant there.
    port: The port of the service.
    weight: The share, relative to the sum of all weights of the rule.
    filters: Changes for this service only: to headers.
    """

    name: Name
    group: Annotated[str, defaulted("")] = ""
    kind: Annotated[str, defaulted("Service")] = "Service"
    namespace: str = ""
    port: PortNumber | None = None
    weight: Annotated[Weight, defaulted(1)] = 1
    filters: tuple[GrpcRouteFilter, ...] = ()


class GrpcRouteRule(Model, frozen=True):
    """
    One rule.

    name: A name for the rule.
    matches: Conditions of which one must hold; without any the rule takes every call.
    filters: What happens to calls on their way.
    backend_refs: Services with weights.
    session_persistence: Send all calls of a session to the same endpoint.
    """

    name: str = ""
    matches: tuple[GrpcRouteMatch, ...] = ()
    filters: tuple[GrpcRouteFilter, ...] = ()
    backend_refs: tuple[GrpcBackendRef, ...] = ()
    session_persistence: Persistence = None


class GrpcRoute(Model, frozen=True):
    """
    How gRPC calls are routed.

    parent_refs: The Gateways, or in the mesh the Services, whose calls are meant.
    hostnames: The hosts; may start with a wildcard; all without it. Without effect in the mesh.
    rules: The rules; of those that match a call the most specific one decides.
    """

    parent_refs: tuple[ParentReference, ...] = ()
    hostnames: tuple[Hostname, ...] = ()
    rules: tuple[GrpcRouteRule, ...] = ()
