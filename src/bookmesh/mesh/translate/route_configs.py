"""Route configurations of sidecars: for every port the virtual hosts of all services, by every name they answer to."""

from __future__ import annotations

from collections.abc import Iterable

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import actions, filters, naming, peer_metadata, routes
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import messages
from bookmesh.mesh.wire import route as wire

Sources = tuple[ObjectRef, ...]

_MAX_BODY_BYTES = 1_048_576
# VirtualServices for hosts that are no service of the mesh apply on this port only, as in Istio.
_UNKNOWN_HOST_PORT = 80


def build_shared(port: int, scope: scopes.Scope) -> tuple[wire.RouteConfiguration, Sources]:
    """Build the routes of all HTTP services of one port, and what happens to requests for other hosts."""
    rules = scope.routings_for(routing.MESH)
    hosts: list[wire.VirtualHost] = []
    sources: dict[ObjectRef, None] = {}
    taken: set[str] = set()
    for service in scope.services.values():
        service_port = service.port(port)
        if service_port is None:
            continue
        rule = snapshots.routing_for(service.hostname, rules)
        hosts.append(_service_host(service, service_port, rule, scope, taken))
        sources |= dict.fromkeys(_sources(service, rule, scope))
    if port == _UNKNOWN_HOST_PORT:
        for rule in rules:
            for host in _unknown_hosts(rule, scope, taken):
                hosts.append(host)
                sources |= dict.fromkeys(rule.refs)
    hosts = [host for host in hosts if host.domains]
    if "*" not in taken:
        hosts.append(_catch_all(scope.settings))
    return build_configuration(str(port), hosts), tuple(sources)


def build_single(
    service: services.Service, port: services.ServicePort, scope: scopes.Scope
) -> tuple[wire.RouteConfiguration, Sources]:
    """Build the routes of one service port that does not declare its protocol; every Host header means this service."""
    rule = snapshots.routing_for(service.hostname, scope.routings_for(routing.MESH))
    host = _service_host(service, port, rule, scope, set())
    del host.domains[:]
    host.domains.append("*")
    name = single_name(service, port)
    return build_configuration(name, [host]), _sources(service, rule, scope)


def single_name(service: services.Service, port: services.ServicePort) -> str:
    return f"{service.hostname}:{port.number}"


def build_configuration(name: str, hosts: Iterable[wire.VirtualHost]) -> wire.RouteConfiguration:
    """Routes may name clusters that do not exist, which is for the user to find out; ports in hosts never matter."""
    return wire.RouteConfiguration(
        name=name,
        virtual_hosts=hosts,
        request_headers_to_add=peer_metadata.announcement(),
        validate_clusters=messages.boolean(False),
        max_direct_response_body_size_bytes=messages.uint32(_MAX_BODY_BYTES),
        ignore_port_in_host_matching=True,
    )


def domains_of(service: services.Service, scope: scopes.Scope) -> list[str]:
    """
    Every name under which a service may be called from a namespace: its full name, what is left of it when the search
    domains of DNS are cut off, and its address. Pods of headless services have names of their own below it.
    """
    settings = scope.settings
    names = [service.hostname]
    if service.hostname == f"{service.name}.{service.namespace}.svc.{settings.domain}":
        names += [f"{service.name}.{service.namespace}.svc", f"{service.name}.{service.namespace}"]
        if service.namespace == scope.namespace:
            names.append(service.name)
    if service.is_headless:
        names += [f"*.{name}" for name in names]
    return [*names, *service.addresses]


def _service_host(
    service: services.Service,
    port: services.ServicePort,
    rule: routing.Routing | None,
    scope: scopes.Scope,
    taken: set[str],
) -> wire.VirtualHost:
    """Build the virtual host of one service; `taken` collects domains, of which no two hosts may have the same."""
    place = routes.Place(scope, port.number)
    built = routes.build_routes(rule, place) if rule is not None else []
    if not built:
        hashing = scope.service_hash(service, port.number)
        default = routes.build_default_route(
            cluster=naming.outbound_cluster(service.hostname, port.number),
            operation=f"{service.hostname}:{port.number}/*",
            hash_policy=actions.build_hash_policy(hashing) if hashing is not None else None,
            retries=scope.settings.default_retries,
        )
        built = [default]
    domains = [domain for domain in domains_of(service, scope) if domain not in taken]
    taken.update(domains)
    host = wire.VirtualHost(
        name=single_name(service, port), domains=domains, routes=built, include_request_attempt_count=True
    )
    announce_http(host, (port,))
    return host


def announce_http(host: wire.VirtualHost, ports: Iterable[services.ServicePort]) -> None:
    """On ports without a declared protocol the peer's sidecar must be told that HTTP comes."""
    if any(port.protocol is protocols.Protocol.AUTO for port in ports):
        host.typed_per_filter_config[filters.ALPN_FILTER].CopyFrom(messages.pack(filters.mesh_http_alpn()))


def _unknown_hosts(rule: routing.Routing, scope: scopes.Scope, taken: set[str]) -> Iterable[wire.VirtualHost]:
    """Virtual hosts for hosts of a VirtualService that no service has, such as names outside the mesh."""
    built = routes.build_routes(rule, routes.Place(scope, _UNKNOWN_HOST_PORT))
    for name in rule.hosts:
        if built and name.lower() not in taken and name not in scope.services:
            taken.add(name.lower())
            yield wire.VirtualHost(
                name=f"{name}:{_UNKNOWN_HOST_PORT}",
                domains=[name.lower()],
                routes=built,
                include_request_attempt_count=True,
            )


def _catch_all(settings: settings_.MeshSettings) -> wire.VirtualHost:
    """Requests for hosts nobody knows: they pass through, or get 502 when only known services may be called."""
    route = wire.Route(match=wire.RouteMatch(prefix="/"))
    if settings.outbound_traffic_policy == "ALLOW_ANY":
        name = "allow_any"
        route.route.CopyFrom(
            wire.RouteAction(cluster=naming.catch_all_cluster(settings), timeout=messages.duration(0))
        )
        route.route.max_grpc_timeout.CopyFrom(messages.duration(0))
    else:
        name = "block_all"
        route.direct_response.CopyFrom(wire.DirectResponseAction(status=502))
    route.name = name
    return wire.VirtualHost(name=name, domains=["*"], routes=[route], include_request_attempt_count=True)


def _sources(service: services.Service, rule: routing.Routing | None, scope: scopes.Scope) -> Sources:
    refs = scope.policy_for(service).refs
    return (service.ref, *(rule.refs if rule is not None else ()), *refs)
