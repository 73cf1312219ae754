"""Routes of one VirtualService, or the one route of a service that has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.model import http_actions, internal, virtual_services
from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.translate import actions, headers, matches, naming, route_filters
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import route as wire

_DEFAULT_NAME: Final = "default"


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where routes are built for: a scope, the port on which requests come in, and the gateway or `mesh`. `is_tls`: the
    gateway ends TLS there.
    """

    scope: scopes.Scope
    port: int
    gateway: str = routing.MESH
    is_tls: bool = False


def build_routes(rule: routing.Routing, place: Place) -> list[wire.Route]:
    """
    Build the routes of one VirtualService, in order; empty when none of them applies here.

    Nothing follows a route that takes every request.

    Source: VirtualService `http[]`.
    """
    built: list[wire.Route] = []
    for route in rule.spec.http:
        if route.delegate is not None and not route.route:
            continue
        for match in route.match or (None,):
            if match is not None and not _applies(match, rule, place):
                continue
            built.append(_build_route(route, match, rule, place))
            if matches.matches_everything(match):
                return built
    return built


def is_catch_all(route: wire.Route) -> bool:
    """Whether a built route takes every request, so that those of other VirtualServices must come before it."""
    match = route.match
    has_path = match.WhichOneof("path_specifier") == "prefix" and match.prefix == "/"
    return bool(has_path and not match.headers and not match.query_parameters)


def build_default_route(
    *,
    cluster: str,
    operation: str,
    hash_policy: wire.RouteAction.HashPolicy | None = None,
    retries: http_actions.HttpRetry | None = None,
) -> wire.Route:
    """
    The route to a service for which there is no VirtualService: no timeout; `retries` are those of the mesh, on
    another host also where a hash says which one is the first.
    """
    action = wire.RouteAction(
        cluster=cluster,
        timeout=messages.duration(0),
        retry_policy=actions.build_retry_policy(retries),
        hash_policy=[hash_policy] if hash_policy is not None else [],
    )
    action.max_grpc_timeout.CopyFrom(messages.duration(0))
    return wire.Route(
        name=_DEFAULT_NAME,
        match=wire.RouteMatch(prefix="/"),
        decorator=wire.Decorator(operation=operation),
        route=action,
    )


def build_inbound_route(
    *, cluster: str, service: services.Service | None, port: services.ServicePort | None
) -> wire.Route:
    """The route from a sidecar to its own application."""
    action = wire.RouteAction(
        cluster=cluster,
        timeout=messages.duration(0),
        max_stream_duration=wire.RouteAction.MaxStreamDuration(
            max_stream_duration=messages.duration(0), grpc_timeout_header_max=messages.duration(0)
        ),
    )
    if port is None or port.protocol not in (protocols.Protocol.GRPC, protocols.Protocol.GRPC_WEB):
        action.retry_policy.CopyFrom(actions.build_inbound_retry_policy())
    operation = f"{service.hostname}:{port.number}/*" if service and port else ":0/*"
    return wire.Route(
        name=_DEFAULT_NAME,
        match=wire.RouteMatch(prefix="/"),
        decorator=wire.Decorator(operation=operation),
        route=action,
    )


def _applies(match: virtual_services.HttpMatchRequest, rule: routing.Routing, place: Place) -> bool:
    """Sort out what the proxy alone decides: gateway, port and labels. With gateways given, labels do not count."""
    if match.port and match.port != place.port:
        return False
    if match.gateways:
        names = (routing.qualified_gateway(name, rule.ref.namespace) for name in match.gateways)
        return place.gateway in names
    if match.source_namespace and match.source_namespace != place.scope.namespace:
        return False
    return match.source_labels.items() <= place.scope.labels.items()


def _build_route(
    route: virtual_services.HttpRoute,
    match: virtual_services.HttpMatchRequest | None,
    rule: routing.Routing,
    place: Place,
) -> wire.Route:
    changes = headers.build_changes(route.headers)
    built = wire.Route(
        name=".".join(part for part in (route.name, match.name if match is not None else "") if part),
        match=matches.build_route_match(match, has_path_elements=rule.has_path_elements),
        metadata=_config_metadata(rule),
        stat_prefix=match.stat_prefix if match is not None else "",
    )
    changes.apply(built)
    if route.redirect is not None:
        built.redirect.CopyFrom(actions.build_redirect(route.redirect, port=place.port, is_tls=place.is_tls))
    elif route.direct_response is not None:
        built.direct_response.CopyFrom(actions.build_direct_response(route.direct_response))
    else:
        built.route.CopyFrom(_build_action(route, rule, place, authority=changes.authority))
        _add_destinations(built, route, rule, place)
    built.decorator.operation = _operation(built, rule, place)
    _add_filters(built, route)
    return built


def _config_metadata(rule: routing.Routing) -> core.Metadata:
    """Tell in a config dump which object a route came from."""
    return core.Metadata(filter_metadata={"istio": messages.struct({"config": rule.path})})


def _build_action(
    route: virtual_services.HttpRoute, rule: routing.Routing, place: Place, *, authority: str
) -> wire.RouteAction:
    timeout = messages.duration(parse_duration_s(route.timeout) if route.timeout is not None else 0)
    action = wire.RouteAction(timeout=timeout)
    action.max_grpc_timeout.CopyFrom(timeout)
    rewrite = route.rewrite
    if rewrite is not None and rewrite.uri_regex_rewrite is not None:
        action.regex_rewrite.CopyFrom(actions.build_regex_rewrite(rewrite.uri_regex_rewrite))
    elif rewrite is not None and rewrite.uri:
        action.prefix_rewrite = rewrite.uri
    if rewrite is not None and rewrite.authority:
        authority = rewrite.authority
    if authority:
        action.host_rewrite_literal = authority
    action.request_mirror_policies.extend(_mirrors(route, rule, place))
    return action


def _mirrors(
    route: virtual_services.HttpRoute, rule: routing.Routing, place: Place
) -> list[wire.RouteAction.RequestMirrorPolicy]:
    targets = [(mirror.destination, mirror.percentage) for mirror in route.mirrors]
    if route.mirror is not None:
        targets.insert(0, (route.mirror, actions.mirror_percent(route)))
    return [
        actions.build_mirror(
            place.scope.destination_cluster(rule, destination, listen_port=place.port, is_http=True),
            percent if percent is not None else actions.ALL,
        )
        for destination, percent in targets
        if percent is None or percent.value > 0
    ]


def _add_destinations(
    built: wire.Route, route: virtual_services.HttpRoute, rule: routing.Routing, place: Place
) -> None:
    """
    One destination becomes a cluster, several become weighted clusters, without those of weight 0.

    Requests for a destination that leads nowhere get 500.
    """
    action, scope = built.route, place.scope
    if any(target.destination == internal.NOWHERE for target in route.route):
        action.cluster_not_found_response_code = wire.RouteAction.INTERNAL_SERVER_ERROR
    is_single = len(route.route) == 1
    for target in route.route:
        cluster = scope.destination_cluster(rule, target.destination, listen_port=place.port, is_http=True)
        changes = headers.build_changes(target.headers)
        if is_single:
            action.cluster = cluster
            changes.apply(built)
            if changes.authority and not action.host_rewrite_literal:
                action.host_rewrite_literal = changes.authority
        elif target.weight == 0:
            continue
        else:
            weighted = wire.WeightedCluster.ClusterWeight(name=cluster, weight=messages.uint32(target.weight))
            changes.apply(weighted)
            if changes.authority:
                weighted.host_rewrite_literal = changes.authority
            action.weighted_clusters.clusters.append(weighted)
        hashing = scope.consistent_hash(rule, target.destination, listen_port=place.port)
        policy = actions.build_hash_policy(hashing) if hashing is not None else None
        if policy is not None:
            action.hash_policy.append(policy)
    retries = actions.build_retry_policy(
        route.retries or scope.settings.default_retries,
        is_consistent_hash=is_single and bool(action.hash_policy),
    )
    if retries is not None:
        action.retry_policy.CopyFrom(retries)


def _operation(built: wire.Route, rule: routing.Routing, place: Place) -> str:
    """The name of a span: destination and path pattern, or for several destinations the VirtualService."""
    match = built.match
    path = match.path or match.safe_regex.regex or f"{match.prefix or '/'}*"
    if built.route.cluster:
        port, _, host = naming.parse_outbound(built.route.cluster)
        return f"{host}:{port}{path}"
    return f"{rule.name}:{place.port}{path}"


def _add_filters(built: wire.Route, route: virtual_services.HttpRoute) -> None:
    fault = route_filters.build_fault(route.fault) if route.fault is not None else None
    if fault is not None:
        built.typed_per_filter_config[route_filters.FAULT_FILTER].CopyFrom(messages.pack(fault))
    if route.cors_policy is not None:
        cors = route_filters.build_cors(route.cors_policy)
        built.typed_per_filter_config[route_filters.CORS_FILTER].CopyFrom(messages.pack(cors))
