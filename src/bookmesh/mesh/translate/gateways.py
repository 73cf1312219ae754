"""Listeners and routes of gateway proxies: VirtualServices bound to the servers of Gateways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import gateways as gateways_
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import routing
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.translate import built, caching, filters, naming, route_configs, routes
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import core, messages, type_urls
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import route as route_wire


def build(proxy: proxies.Proxy, scope: scopes.Scope, cache: caching.Cache) -> tuple[built.Built, ...]:
    """Build the listeners and routes of one gateway proxy; replicas share them."""
    ports = scope.snapshot.gateway_ports(proxy)
    key = ("gateway", scope.snapshot.id, proxy.namespace, ports)
    return cache.get(key, _build, ports, scope, cache)


def _build(
    ports: tuple[gateways_.GatewayPort, ...], scope: scopes.Scope, cache: caching.Cache
) -> tuple[built.Built, ...]:
    parts: list[built.Built] = []
    for port in ports:
        refs = tuple(dict.fromkeys(server.ref for server in port.servers))
        listener = build_listener(port.target, scope.snapshot.settings)
        parts.append(built.finish(type_urls.LISTENER, listener.name, listener, refs, cache))
        config, sources = build_routes(port, scope)
        parts.append(built.finish(type_urls.ROUTES, config.name, config, sources, cache))
    return tuple(parts)


def build_listener(target_port: int, settings: settings_.MeshSettings) -> wire.Listener:
    """One port of a gateway; it is at the edge, so it does not believe what clients say about themselves."""
    name = naming.listener(naming.ANY_ADDRESS, target_port)
    manager = filters.connection_manager(
        settings,
        stat_prefix=naming.stats_prefix(f"outbound_{name}"),
        rds=filters.dynamic_routes(naming.gateway_routes(target_port)),
        http_filters=filters.outbound_http_filters(),
        use_remote_address=messages.boolean(True),
        server_name="istio-envoy",
        forward_client_cert_details=wire.HttpConnectionManager.SANITIZE_SET,
        set_current_client_cert_details=wire.HttpConnectionManager.SetCurrentClientCertDetails(
            subject=messages.boolean(True), cert=True, dns=True, uri=True
        ),
        proxy_100_continue=True,
    )
    return wire.Listener(
        name=name,
        address=filters.address(naming.ANY_ADDRESS, target_port),
        traffic_direction=core.TrafficDirection.OUTBOUND,
        filter_chains=[wire.FilterChain(filters=[filters.http_filter(manager)])],
    )


@dataclass(slots=True)
class _Host:
    """A virtual host in the making: routes of several VirtualServices, in merge order."""

    routes: list[route_wire.Route] = field(default_factory=list)
    service_ports: list[services.ServicePort] = field(default_factory=list)
    is_redirected: bool = False


def build_routes(
    port: gateways_.GatewayPort, scope: scopes.Scope
) -> tuple[route_wire.RouteConfiguration, tuple[ObjectRef, ...]]:
    """
    Build the routes of one port of a gateway. Without any host all requests get 404.

    Hosts are the ones that a VirtualService and a server of its gateway have in common; VirtualServices for the same
    host are joined in merge order, with routes that take everything at the end.
    """
    hosts: dict[str, _Host] = {}
    sources: dict[ObjectRef, None] = {}
    for server in port.servers:
        sources[server.ref] = None
        is_redirected = server.server.tls is not None and server.server.tls.https_redirect
        for rule in scope.snapshot.routings_for(server.gateway, scope.namespace):
            found = routes.build_routes(rule, routes.Place(scope, server.server.port.number, server.gateway))
            for name in server.common_hosts(rule.hosts, rule.ref.namespace) if found else ():
                host = hosts.setdefault(name, _Host())
                host.routes += [route for route in found if route not in host.routes]
                host.service_ports += _destination_ports(rule, scope)
                host.is_redirected |= is_redirected
                sources[rule.ref] = None
        if is_redirected:
            for entry in server.server.hosts:
                hosts.setdefault(entry.rpartition("/")[2].lower(), _Host()).is_redirected = True
    virtual_hosts = [_build_host(name, port.number, host) for name, host in sorted(hosts.items())]
    name = naming.gateway_routes(port.target)
    return route_configs.build_configuration(name, virtual_hosts or [_blackhole(port.number)]), tuple(sources)


def _destination_ports(rule: routing.Routing, scope: scopes.Scope) -> Iterable[services.ServicePort]:
    for route in rule.spec.http:
        for target in route.route:
            service = scope.services.get(rule.destination_host(target.destination))
            yield from service.ports if service is not None else ()


def _build_host(name: str, port: int, host: _Host) -> route_wire.VirtualHost:
    virtual_host = route_wire.VirtualHost(
        name=f"{name}:{port}",
        domains=[name],
        routes=sorted(host.routes, key=routes.is_catch_all),
        include_request_attempt_count=True,
    )
    if host.is_redirected:
        virtual_host.require_tls = route_wire.VirtualHost.ALL
    route_configs.announce_http(virtual_host, host.service_ports)
    return virtual_host


def _blackhole(port: int) -> route_wire.VirtualHost:
    """A host without routes: Envoy answers 404."""
    return route_wire.VirtualHost(name=f"blackhole:{port}", domains=["*"])
