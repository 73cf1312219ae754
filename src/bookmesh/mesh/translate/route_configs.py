"""Route configurations of sidecars: for every port the virtual hosts of all services, by every name they answer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bookmesh.base import overlays, steps
from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.snapshot import hosts as hosts_
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import actions, filters, naming, peer_metadata, routes
from bookmesh.mesh.translate import built as built_
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import encoding, messages, type_urls
from bookmesh.mesh.wire import route as wire

Sources = tuple[ObjectRef, ...]

_MAX_BODY_BYTES = 1_048_576
# VirtualServices for hosts that are no service of the mesh apply on this port only, as in Istio.
UNKNOWN_HOST_PORT = 80
_VIRTUAL_HOSTS = 2  # the field's number in RouteConfiguration


@dataclass(frozen=True, slots=True)
class Host:
    """One virtual host in the making: the domains it has, itself in protobuf encoding, and what it was made from."""

    domains: tuple[str, ...]
    encoded: bytes
    sources: Sources


@dataclass(frozen=True, slots=True)
class Table:
    """
    The virtual hosts of one port: those of services by hostname, in hostname order, and those for hosts of
    VirtualServices that no service has there.
    """

    services: Mapping[str, Host]
    others: tuple[Host, ...] = ()


def build_table(
    port: int, scope: scopes.Scope, known: Mapping[str, Host] | None = None
) -> steps.Steps[Table]:
    """
    Build the virtual hosts of all HTTP services of one port, in steps; no two of them have a domain in common. Those
    that are `known`, by hostname, are built anew only if they have other domains now.
    """
    hosts: dict[str, Host] = {}
    taken: set[str] = set()
    for service in scope.services_on(port):
        service_port = service.port(port)
        if service_port is not None:
            domains = tuple(domain for domain in domains_of(service, scope) if domain not in taken)
            taken.update(domains)
            found = known.get(service.hostname) if known else None
            if found is None or found.domains != domains:
                found = _build_host(service, service_port, domains, scope)
            hosts[service.hostname] = found
            yield
    return Table(hosts, _build_others(port, scope, taken))


def update_table(
    table: Table, port: int, scope: scopes.Scope, changed: Iterable[str], *, has_others: bool
) -> Table:
    """
    Build the virtual hosts of some services anew, whose rules changed, and with `has_others` those that belong to no
    service. Services are the same as before, and so are domains.
    """
    fresh: dict[str, Host] = {}
    for hostname in changed:
        service = scope.services[hostname]
        service_port = service.port(port)
        if service_port is not None:
            fresh[hostname] = _build_host(service, service_port, table.services[hostname].domains, scope)
    hosts = overlays.changed(table.services, fresh)
    if not has_others:
        return Table(hosts, table.others)
    taken = {domain for host in hosts.values() for domain in host.domains}
    return Table(hosts, _build_others(port, scope, taken))


def join_table(port: int, table: Table, scope: scopes.Scope) -> built_.Joined:
    """Put the route configuration of a port together, with what happens to requests for other hosts."""
    found = [host for host in (*table.services.values(), *table.others) if host.domains]
    sources = dict.fromkeys(ref for host in (*table.services.values(), *table.others) for ref in host.sources)
    catch_all = () if any("*" in host.domains for host in found) else (_catch_all(scope.settings),)
    head = build_configuration(str(port), catch_all).SerializeToString(deterministic=True)
    parts = [encoding.length_delimited(_VIRTUAL_HOSTS, host.encoded) for host in found]
    return built_.Joined(
        type_urls.ROUTES, str(port), b"".join((*parts, head)), tuple(sources), wire.RouteConfiguration
    )


def _build_host(
    service: services.Service, port: services.ServicePort, domains: tuple[str, ...], scope: scopes.Scope
) -> Host:
    rule = scope.rule_for(service.hostname)
    host = _service_host(service, port, rule, scope, domains)
    return Host(domains, host.SerializeToString(deterministic=True), _sources(service, rule, scope))


def _build_others(port: int, scope: scopes.Scope, taken: set[str]) -> tuple[Host, ...]:
    if port != UNKNOWN_HOST_PORT:
        return ()
    return tuple(
        Host(tuple(host.domains), host.SerializeToString(deterministic=True), tuple(rule.refs))
        for rule in scope.routings_for(routing.MESH)
        for host in _unknown_hosts(rule, scope, taken)
    )


def build_single(
    service: services.Service, port: services.ServicePort, scope: scopes.Scope
) -> tuple[wire.RouteConfiguration, Sources]:
    """Build the routes of one service port that does not declare its protocol; every Host header means this service."""
    rule = scope.rule_for(service.hostname)
    host = _service_host(service, port, rule, scope, ("*",))
    name = single_name(service, port)
    return build_configuration(name, [host]), _sources(service, rule, scope)


def build_for_all_ports(
    name: str, called: Iterable[services.Service], scope: scopes.Scope
) -> tuple[wire.RouteConfiguration, Sources]:
    """
    Build the routes of an HTTP proxy or a Unix socket, where the port that is meant is in the Host header; 80 if there
    is none.

    Source: Sidecar `egress[]`.
    """
    taken: set[str] = set()
    hosts: list[wire.VirtualHost] = []
    sources: dict[ObjectRef, None] = {}
    for service in called:
        rule = scope.rule_for(service.hostname)
        sources |= dict.fromkeys(_sources(service, rule, scope))
        for port in service.ports:
            names = domains_of(service, scope)
            with_port = [f"{each}:{port.number}" for each in names]
            wanted = [*(names if port.number == UNKNOWN_HOST_PORT else ()), *with_port]
            domains = [domain for domain in wanted if domain not in taken]
            taken.update(domains)
            if domains:
                hosts.append(_service_host(service, port, rule, scope, domains))
    for rule in scope.routings_for(routing.MESH):
        own = list(_unknown_hosts(rule, scope, taken))
        hosts += own
        sources |= dict.fromkeys(rule.refs if own else ())
    if "*" not in taken:
        hosts.append(_catch_all(scope.settings))
    config = build_configuration(name, hosts)
    config.ignore_port_in_host_matching = False
    return config, tuple(sources)


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
    Every name under which a service may be called from a namespace: its full name, also with the dot that says so,
    what is left of it when the search domains of DNS are cut off, and its address. Pods of headless services have names
    of their own below it.
    """
    names = [service.hostname, f"{service.hostname}."]
    path, is_cluster_name, domain = service.hostname.partition(".svc.")
    name, _, namespace = path.partition(".")
    if is_cluster_name and domain == scope.settings.domain and namespace:
        names += [f"{path}.svc", path]
        if namespace == scope.namespace:
            names.append(name)
    if service.is_headless:
        names += [f"*.{name}" for name in names]
    return [*names, *service.addresses]


def _service_host(
    service: services.Service,
    port: services.ServicePort,
    rule: routing.Routing | None,
    scope: scopes.Scope,
    domains: Iterable[str],
) -> wire.VirtualHost:
    """Build the virtual host of one service."""
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
    host = wire.VirtualHost(
        name=single_name(service, port),
        domains=domains,
        routes=built,
        include_request_attempt_count=scope.settings.proxy_headers.counts_attempts,
    )
    announce_http(host, (port,), scope)
    return host


def announce_http(host: wire.VirtualHost, ports: Iterable[services.ServicePort], scope: scopes.Scope) -> None:
    """
    On ports without a declared protocol the peer's sidecar must be told that HTTP comes. A TLS server that is not of
    the mesh would not understand: next to one each of the other destinations says it for itself, since Envoy's filter
    does what all levels say.
    """
    if not any(port.protocol is protocols.Protocol.AUTO for port in ports):
        return
    announcement = messages.pack(filters.mesh_http_alpn())
    targets = [target for route in host.routes for target in _targets(route)]
    if not any(scope.originates_tls(cluster) for cluster, _ in targets):
        host.typed_per_filter_config[filters.ALPN_FILTER].CopyFrom(announcement)
        return
    for cluster, place in targets:
        if not scope.originates_tls(cluster):
            place.typed_per_filter_config[filters.ALPN_FILTER].CopyFrom(announcement)


def _targets(route: wire.Route) -> list[tuple[str, wire.Route | wire.WeightedCluster.ClusterWeight]]:
    """The clusters to which a route leads, each with the place for settings of filters that are for it alone."""
    weighted = [(one.name, one) for one in route.route.weighted_clusters.clusters]
    return [*weighted] or [(route.route.cluster, route)]


def names_unknown_port(rule: routing.Routing) -> bool:
    """Whether a VirtualService has conditions for the port on which hosts may be unknown."""
    return any(match.port == UNKNOWN_HOST_PORT for http in rule.spec.http for match in http.match)


def _unknown_hosts(rule: routing.Routing, scope: scopes.Scope, taken: set[str]) -> Iterable[wire.VirtualHost]:
    """
    Virtual hosts for hosts of a VirtualService that no service has on this port: names outside the mesh, and those of
    services with other ports if the rule names this one. A wildcard that covers a service means services only.
    """
    is_named, served = names_unknown_port(rule), scope.services_on(UNKNOWN_HOST_PORT)
    unknown = [
        name
        for name in rule.hosts
        if name.lower() not in taken
        and (is_named or name not in scope.services)
        and not (name.startswith("*") and any(hosts_.matches(name, service.hostname) for service in served))
    ]
    built = routes.build_routes(rule, routes.Place(scope, UNKNOWN_HOST_PORT)) if unknown else []
    for name in unknown:
        if built and name.lower() not in taken:
            taken.add(name.lower())
            yield wire.VirtualHost(
                name=f"{name}:{UNKNOWN_HOST_PORT}",
                domains=[name.lower()],
                routes=built,
                include_request_attempt_count=scope.settings.proxy_headers.counts_attempts,
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
    counts = settings.proxy_headers.counts_attempts
    return wire.VirtualHost(name=name, domains=["*"], routes=[route], include_request_attempt_count=counts)


def _sources(service: services.Service, rule: routing.Routing | None, scope: scopes.Scope) -> Sources:
    refs = scope.policy_for(service).refs
    return (service.ref, *(rule.refs if rule is not None else ()), *refs)
