"""Listeners and routes of gateway proxies: VirtualServices bound to the servers of Gateways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import gateways as gateways_
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import auto_passthrough, built, caching, gateway_chains, route_configs, routes
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import route as route_wire
from bookmesh.mesh.wire import type_urls


def build(proxy: proxies.Proxy, scope: scopes.Scope, cache: caching.Cache) -> built.Part:
    """Build the listeners and routes of one gateway proxy; replicas share them."""
    ports = scope.snapshot.gateway_ports(proxy)
    key = ("gateway", id(scope), ports, proxy.topology)
    return cache.get(key, _build, ports, scope, proxy.topology, cache).part


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Gateway:
    """What gateway proxies of one scope with equal ports and topology share; the scope lives as long as this does."""

    scope: scopes.Scope
    part: built.Part


def _build(
    ports: tuple[gateways_.GatewayPort, ...],
    scope: scopes.Scope,
    topology: settings_.Topology | None,
    cache: caching.Cache,
) -> _Gateway:
    shared = scope
    if topology is not None:
        scope = replace(scope, settings=replace(scope.settings, topology=topology))
    parts: list[built.Built] = []
    for port in ports:
        found = gateway_chains.build(port, scope)
        tables = [build_routes(table, scope) for table in found.tables]
        parts += [built.finish(type_urls.ROUTES, c.name, c, sources, cache) for c, sources in tables]
        if found.chains:
            listener = gateway_chains.build_listener(port, found, scope.settings)
            refs = dict.fromkeys(server.ref for server in port.servers) | dict.fromkeys(
                ref
                for server in port.servers
                if not (server.is_http or server.is_https)
                for rule in scope.routings_for(server.gateway)
                for ref in rule.refs
            )
            parts.append(built.finish(type_urls.LISTENER, listener.name, listener, tuple(refs), cache))
    parts += auto_passthrough.build_clusters(ports, scope, cache)
    return _Gateway(shared, built.part_of(parts))


@dataclass(slots=True)
class _Host:
    """A virtual host in the making: routes of several VirtualServices, in merge order."""

    routes: list[route_wire.Route] = field(default_factory=list)
    service_ports: list[services.ServicePort] = field(default_factory=list)
    is_redirected: bool = False


def build_routes(
    table: gateway_chains.RouteTable, scope: scopes.Scope
) -> tuple[route_wire.RouteConfiguration, tuple[ObjectRef, ...]]:
    """
    Build the HTTP routes of some servers of one port. Without any host all requests get 404.

    Hosts are the ones that a VirtualService and a server of its gateway have in common; VirtualServices for the same
    host are joined in merge order, with routes that take everything at the end.
    """
    hosts: dict[str, _Host] = {}
    sources: dict[ObjectRef, None] = {}
    for server in table.servers:
        sources[server.ref] = None
        is_redirected = server.server.tls is not None and server.server.tls.https_redirect
        for rule in scope.routings_for(server.gateway):
            place = routes.Place(scope, server.server.port.number, server.gateway, is_tls=server.is_https)
            found = routes.build_routes(rule, place)
            for name in server.common_hosts(rule.hosts, rule.ref.namespace) if found else ():
                host = hosts.setdefault(name, _Host())
                host.routes += [route for route in found if route not in host.routes]
                host.service_ports += _destination_ports(rule, scope)
                host.is_redirected |= is_redirected
                sources |= dict.fromkeys(rule.refs)
        if is_redirected:
            for entry in server.server.hosts:
                hosts.setdefault(entry.rpartition("/")[2].lower(), _Host()).is_redirected = True
    virtual_hosts = [_build_host(name, table.number, host, scope) for name, host in sorted(hosts.items())]
    found = virtual_hosts or [_blackhole(table.number)]
    return route_configs.build_configuration(table.name, found), tuple(sources)


def _destination_ports(rule: routing.Routing, scope: scopes.Scope) -> Iterable[services.ServicePort]:
    for route in rule.spec.http:
        for target in route.route:
            service = scope.services.get(rule.destination_host(target.destination))
            yield from service.ports if service is not None else ()


def _build_host(name: str, port: int, host: _Host, scope: scopes.Scope) -> route_wire.VirtualHost:
    virtual_host = route_wire.VirtualHost(
        name=f"{name}:{port}",
        domains=[name],
        routes=sorted(host.routes, key=routes.is_catch_all),
        include_request_attempt_count=scope.settings.proxy_headers.counts_attempts,
    )
    if host.is_redirected:
        virtual_host.require_tls = route_wire.VirtualHost.ALL
    route_configs.announce_http(virtual_host, host.service_ports, scope)
    return virtual_host


def _blackhole(port: int) -> route_wire.VirtualHost:
    """A host without routes: Envoy answers 404."""
    return route_wire.VirtualHost(name=f"blackhole:{port}", domains=["*"])
