"""HTTPRoute (gateway.networking.k8s.io): how requests are routed, behind a Gateway or in the mesh."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from bookmesh.mesh.model import expressions
from bookmesh.mesh.model.base import Model, PortNumber, defaulted
from bookmesh.mesh.model.gateway_api.filters import HttpRouteFilter
from bookmesh.mesh.model.gateway_api.references import (
    GatewayDuration,
    Hostname,
    Name,
    ParentReference,
    Persistence,
    Weight,
)

MatchType = Annotated[Literal["Exact", "RegularExpression"], defaulted("Exact")]
_EVERY_PATH: Final[dict[str, Any]] = {"type": "PathPrefix", "value": "/"}


class PathMatch(Model, frozen=True):
    """
    A condition on the path, without the query.

    type: Exact, PathPrefix (whole segments) or RegularExpression (RE2).
    value: The path, prefix or expression.
    """

    type: Annotated[Literal["Exact", "PathPrefix", "RegularExpression"], defaulted("PathPrefix")] = (
        "PathPrefix"
    )
    value: Annotated[Annotated[str, msgspec.Meta(max_length=1024)], defaulted("/")] = "/"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.type != "RegularExpression" and not self.value.startswith("/"):
            raise ValueError(f'"{self.value}" must start with /')
        if self.type == "RegularExpression":
            expressions.check(self.value)


class HeaderMatch(Model, frozen=True):
    """
    A condition on a header.

    type: Exact or RegularExpression (RE2).
    name: The header; case does not matter.
    value: Its value.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    value: str
    type: MatchType = "Exact"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.type == "RegularExpression":
            expressions.check(self.value)


class QueryParamMatch(Model, frozen=True):
    """
    A condition on a parameter of the query.

    type: Exact or RegularExpression (RE2).
    name: The parameter.
    value: Its value.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    value: str
    type: MatchType = "Exact"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.type == "RegularExpression":
            expressions.check(self.value)


class HttpRouteMatch(Model, frozen=True):
    """
    Conditions on a request; all that are given must hold.

    path: The path.
    headers: Headers.
    query_params: Parameters of the query.
    method: The HTTP method.
    """

    path: Annotated[PathMatch, defaulted(_EVERY_PATH)] = PathMatch()
    headers: tuple[HeaderMatch, ...] = ()
    query_params: tuple[QueryParamMatch, ...] = ()
    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] | None = (
        None
    )


class HttpBackendRef(Model, frozen=True):
    """
    A service that receives requests, with its share.

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
    filters: tuple[HttpRouteFilter, ...] = ()


class HttpRouteTimeouts(Model, frozen=True):
    """
    How long things may take; 0s means without limit.

    request: The whole request with all its tries.
    backend_request: One try.
    """

    request: GatewayDuration | None = None
    backend_request: GatewayDuration | None = None


class HttpRouteRetry(Model, frozen=True):
    """
    How failed requests are tried again; connection errors always are.

    codes: Status codes that count as failures.
    attempts: How often a request is retried after its first try.
    backoff: The least time between tries.
    """

    codes: tuple[Annotated[int, msgspec.Meta(ge=400, le=599)], ...] = ()
    attempts: Annotated[int, msgspec.Meta(ge=0)] | None = None
    backoff: GatewayDuration | None = None


class HttpRouteRule(Model, frozen=True):
    """
    One rule.

    name: A name for the rule.
    matches: Conditions of which one must hold.
    filters: What happens to requests on their way.
    backend_refs: Services with weights.
    timeouts: How long things may take.
    retry: How failed requests are tried again.
    session_persistence: Send all requests of a session to the same endpoint.
    """

    name: str = ""
    matches: Annotated[
        Annotated[tuple[HttpRouteMatch, ...], msgspec.Meta(max_length=64)], defaulted([{"path": _EVERY_PATH}])
    ] = (HttpRouteMatch(),)
    filters: tuple[HttpRouteFilter, ...] = ()
    backend_refs: tuple[HttpBackendRef, ...] = ()
    timeouts: HttpRouteTimeouts | None = None
    retry: HttpRouteRetry | None = None
    session_persistence: Persistence = None


class HttpRoute(Model, frozen=True):
    """
    How requests are routed.

    parent_refs: The Gateways, or in the mesh the Services, whose requests are meant.
    hostnames: The hosts; may start with a wildcard; all without it. Without effect in the mesh.
    rules: The rules; of those that match a request the most specific one decides.
    """

    parent_refs: tuple[ParentReference, ...] = ()
    hostnames: tuple[Hostname, ...] = ()
    rules: Annotated[tuple[HttpRouteRule, ...], defaulted([{"matches": [{"path": _EVERY_PATH}]}])] = (
        HttpRouteRule(),
    )
