"""VirtualService (networking.istio.io): how requests to a host are routed."""

from __future__ import annotations

from typing import Annotated

import msgspec

from bookmesh.mesh.model.base import (
    Count,
    Duration,
    HeaderName,
    HostName,
    Model,
    PortNumber,
    WholeHostName,
)
from bookmesh.mesh.model.faults import HttpFaultInjection, WholePercent
from bookmesh.mesh.model.http_actions import (
    CorsPolicy,
    HttpDirectResponse,
    HttpMirrorPolicy,
    HttpRedirect,
    HttpRetry,
    HttpRewrite,
)
from bookmesh.mesh.model.matching import Destination, Headers, Percent, StringMatch

# Envoy's limit.
QueryParameter = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class HttpMatchRequest(Model, frozen=True):
    """
    Conditions on a request; all that are given must hold.

    name: A name for this condition, appended to the name of the route in access logs.
    uri: The path, without the query.
    ignore_uri_case: Whether the case of the path does not matter; for exact and prefix.
    scheme: http or https.
    method: The HTTP method.
    authority: The Host header.
    headers: Headers by lower-case name; an empty condition asks for presence.
    without_headers: Headers that must not match.
    query_params: Parameters of the query by name.
    port: The port of the host that is called.
    source_labels: Labels of the workloads to which the rule applies.
    source_namespace: The namespace of the workloads to which the rule applies.
    gateways: The gateways to which the rule applies, in place of those of the VirtualService.
    stat_prefix: A prefix for statistics of this route.
    """

    name: str = ""
    uri: StringMatch | None = None
    ignore_uri_case: bool = False
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[HeaderName, StringMatch] = {}
    without_headers: dict[HeaderName, StringMatch] = {}
    query_params: dict[QueryParameter, StringMatch] = {}
    port: PortNumber = 0
    source_labels: dict[str, str] = {}
    source_namespace: str = ""
    gateways: tuple[str, ...] = ()
    stat_prefix: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("scheme", "method", "authority"):
            condition: StringMatch | None = getattr(self, name)
            if condition is not None:
                condition.check_not_empty(name)
        for on_names in (self.headers, self.without_headers, self.query_params):
            for name, condition in on_names.items():
                condition.check_not_empty(name)


class HttpRouteDestination(Model, frozen=True):
    """
    One of the places a request may go to.

    destination: The service and subset.
    weight: The share of requests, relative to the sum of all weights of the route.
    headers: Changes to headers for this destination only.
    """

    destination: Destination
    weight: Count = 0
    headers: Headers | None = None


class Delegate(Model, frozen=True):
    """
    Another VirtualService that holds the routes.

    name: Its name.
    namespace: Its namespace; that of this VirtualService without it.
    """

    name: str = ""
    namespace: str = ""


class HttpRoute(Model, frozen=True):
    """
    One rule for HTTP, HTTP/2 and gRPC; the first that matches decides.

    name: A name for access logs.
    match: Conditions of which one must hold; without any the rule matches everything.
    route: Destinations with weights.
    redirect: Answer with a redirection.
    direct_response: Answer with a fixed response.
    delegate: Another VirtualService that holds the routes.
    rewrite: Changes to the request line.
    timeout: How long an answer may take; no limit without it.
    retries: How failed requests are tried again.
    fault: Faults for tests of resilience.
    mirror: A destination that gets a copy of requests.
    mirrors: Destinations that get copies of requests.
    mirror_percentage: How many requests are copied to `mirror`; all without it.
    mirror_percent: As a whole number; older spelling.
    mirror_percent_snake: As a whole number; oldest spelling.
    cors_policy: Cross-origin resource sharing.
    headers: Changes to headers.
    """

    name: str = ""
    match: tuple[HttpMatchRequest, ...] = ()
    route: tuple[HttpRouteDestination, ...] = ()
    redirect: HttpRedirect | None = None
    direct_response: HttpDirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: HttpRewrite | None = None
    timeout: Duration | None = None
    retries: HttpRetry | None = None
    fault: HttpFaultInjection | None = None
    mirror: Destination | None = None
    mirrors: tuple[HttpMirrorPolicy, ...] = ()
    mirror_percentage: Percent | None = None
    mirror_percent: WholePercent | None = None
    mirror_percent_snake: WholePercent | None = msgspec.field(default=None, name="mirror_percent")
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("redirect", "direct_response"),)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.route and (self.redirect is not None or self.direct_response is not None):
            raise ValueError("route excludes redirect and directResponse")
        if (
            not self.route
            and self.redirect is None
            and self.direct_response is None
            and self.delegate is None
        ):
            raise ValueError("one of route, redirect, directResponse and delegate is required")
        if len(self.route) > 1 and not any(target.weight for target in self.route):
            raise ValueError("the weights of the destinations must not all be 0")


class RouteDestination(Model, frozen=True):
    """
    One of the places a connection may go to.

    destination: The service and subset.
    weight: The share of connections.
    """

    destination: Destination
    weight: Count = 0


class TlsMatchAttributes(Model, frozen=True):
    """
    Conditions on a TLS connection that is not terminated.

    sni_hosts: Names in the TLS greeting; may start with a wildcard.
    destination_subnets: Addresses that are called, with a prefix length.
    port: The port that is called.
    source_labels: Labels of the workloads to which the rule applies.
    gateways: The gateways to which the rule applies.
    source_namespace: The namespace of the workloads to which the rule applies.
    """

    sni_hosts: tuple[WholeHostName, ...]
    destination_subnets: tuple[str, ...] = ()
    port: PortNumber = 0
    source_labels: dict[str, str] = {}
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


class TlsRoute(Model, frozen=True):
    """
    One rule for TLS connections that are passed through.

    match: Conditions of which one must hold.
    route: Destinations with weights.
    """

    match: tuple[TlsMatchAttributes, ...]
    route: tuple[RouteDestination, ...] = ()


class L4MatchAttributes(Model, frozen=True):
    """
    Conditions on a connection.

    destination_subnets: Addresses that are called, with a prefix length.
    port: The port that is called.
    source_subnet: Addresses of callers.
    source_labels: Labels of the workloads to which the rule applies.
    gateways: The gateways to which the rule applies.
    source_namespace: The namespace of the workloads to which the rule applies.
    """

    destination_subnets: tuple[str, ...] = ()
    port: PortNumber = 0
    source_subnet: str = ""
    source_labels: dict[str, str] = {}
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


class TcpRoute(Model, frozen=True):
    """
    One rule for TCP connections.

    match: Conditions of which one must hold.
    route: Destinations with weights.
    """

    match: tuple[L4MatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


class VirtualService(Model, frozen=True):
    """
    Routes for the requests that are sent to some hosts.

    hosts: The hosts: names of services, DNS names, or names with a leading wildcard.
    gateways: Where the routes apply: names of Gateways, or `mesh` for all sidecars, which is the default.
    http: Rules for HTTP, HTTP/2 and gRPC, in order.
    tls: Rules for TLS connections that are passed through, in order.
    tcp: Rules for TCP connections, in order.
    export_to: Namespaces that see the routes; "." is the own one, "*" means all, which is the default.
    """

    hosts: tuple[HostName, ...] = ()
    gateways: tuple[str, ...] = ()
    http: tuple[HttpRoute, ...] = ()
    tls: tuple[TlsRoute, ...] = ()
    tcp: tuple[TcpRoute, ...] = ()
    export_to: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.hosts and ("mesh" in self.gateways or self.tls or self.tcp):
            raise ValueError(
                "hosts must not be empty: only a delegate has none, and it has http routes alone"
            )
        if not (self.http or self.tls or self.tcp):
            raise ValueError("one of http, tls and tcp is required")
