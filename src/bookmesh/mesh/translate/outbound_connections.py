"""
What a sidecar does with outbound connections that are not HTTP: by name in the TLS greeting, by address, by weight.

Services with addresses of their own have a listener each (`for_service`); those without share the one of their port
(`for_port`), and those of a Sidecar's listener that one (`for_ports`). There TLS is told apart by its server name, and
the first plain TCP service has the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.registry import services
from bookmesh.mesh.translate import connections, filters, naming, outbound_listeners, routes
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import listener as wire

_Claim = tuple[str, tuple[str, ...], tuple[str, ...]]


@dataclass(slots=True)
class Connections:
    """Chains in order, each with another condition; `default` takes what none of them does, if there is one."""

    chains: list[wire.FilterChain] = field(default_factory=list)
    default: wire.FilterChain | None = None
    sources: dict[ObjectRef, None] = field(default_factory=dict)
    _taken: set[_Claim] = field(default_factory=set)

    def add(self, route: connections.ConnectionRoute, place: routes.Place) -> None:
        """Add a route, for the part of its connections that no route before it has."""
        names = route.server_names or ("",)
        free = tuple(n for n in names if (n, route.destinations, route.sources) not in self._taken)
        self._taken.update((name, route.destinations, route.sources) for name in free)
        if not free:
            return
        chain = wire.FilterChain(filters=connections.build_filters(route, place))
        if route.takes_everything:
            self.default = chain
            return
        chain.filter_chain_match.CopyFrom(route.build_match())
        del chain.filter_chain_match.server_names[:]
        chain.filter_chain_match.server_names.extend(name for name in free if name)
        self.chains.append(chain)


def for_service(service: services.Service, port: services.ServicePort, scope: scopes.Scope) -> Connections:
    """
    The connections to a service that has a listener of its own; there is always a default: the service itself, but
    where routes tell TLS apart by its server name, other names go where they wanted to, or nowhere.
    """
    found = Connections(sources={service.ref: None})
    place = routes.Place(scope, port.number)
    own = list(_routes(service, port, place, found.sources))
    for route in own:
        found.add(route, place)
    if found.default is None:
        is_divided = port.protocol.is_tls and bool(own)
        cluster = (
            naming.catch_all_cluster(scope.settings)
            if is_divided
            else naming.outbound_cluster(service.hostname, port.number)
        )
        proxy = filters.tcp_proxy(cluster, scope.settings, options=scope.tcp_options(cluster))
        found.default = wire.FilterChain(filters=[proxy])
    return found


def for_port(number: int, scope: scopes.Scope) -> Connections:
    """The connections to all services of one port that have no listener of their own."""
    ports = ((service, service.port(number)) for service in scope.services_on(number))
    called = [
        (service, port)
        for service, port in ports
        if port is not None and outbound_listeners.shares_connections(service, port)
    ]
    return for_ports(called, number, scope)


def for_ports(
    called: Iterable[tuple[services.Service, services.ServicePort]], number: int, scope: scopes.Scope
) -> Connections:
    """The connections to ports of services that share a listener, which is on port `number`."""
    found = Connections()
    place = routes.Place(scope, number)
    for service, port in called:
        found.sources[service.ref] = None
        own = list(_routes(service, port, place, found.sources))
        for route in own or (_to_service(service, port),):
            found.add(route, place)
    return found


def _routes(
    service: services.Service,
    port: services.ServicePort,
    place: routes.Place,
    sources: dict[ObjectRef, None],
) -> Iterator[connections.ConnectionRoute]:
    """
    The routes of all VirtualServices for a host: `tls` for ports that declare TLS, `tcp` for others, of which nothing
    follows one that takes all. Those that have some are noted in `sources`.
    """
    build = connections.build_tls_routes if port.protocol.is_tls else connections.build_tcp_routes
    for rule in place.scope.connection_rules_for(service.hostname):
        own = build(rule, place)
        if own:
            sources[rule.ref] = None
        yield from own
        if not port.protocol.is_tls and own and own[-1].takes_everything:
            return


def _to_service(service: services.Service, port: services.ServicePort) -> connections.ConnectionRoute:
    cluster = naming.outbound_cluster(service.hostname, port.number)
    known = tuple(name for name in (service.hostname, service.external_name) if name and name != "*")
    names = known if port.protocol.is_tls else ()
    return connections.ConnectionRoute(
        targets=((cluster, 1),), name=cluster, server_names=names, destinations=service.ranges
    )
