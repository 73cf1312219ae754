"""
Listeners of a Sidecar's egress that have a place of their own: an address, a port on which the proxy really listens, a
Unix socket, or an HTTP proxy. Services are called there, and not at their own addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bookmesh.base import steps
from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.snapshot import sidecars
from bookmesh.mesh.translate import (
    built,
    caching,
    naming,
    outbound_connections,
    outbound_listeners,
    route_configs,
)
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import type_urls

_Called = tuple[tuple[services.Service, services.ServicePort], ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """
    One listener to build. `called` are the ports of services that are called on it; their protocol is what is spoken
    there. `number` is its port, 0 for a Unix socket.
    """

    bind: sidecars.Bind
    number: int
    called: _Called
    is_for_all_ports: bool

    @property
    def routes(self) -> str:
        """The name of its routes, "" if it has none."""
        is_routed = any(
            port.protocol.is_http or port.protocol is protocols.Protocol.AUTO for _, port in self.called
        )
        return (str(self.number) if self.number else self.bind.address) if is_routed else ""

    @property
    def is_http_only(self) -> bool:
        """Whether there is nothing to look at: only HTTP can come. On all addresses nobody knows what comes."""
        is_anywhere = self.bind.address == naming.ANY_ADDRESS and not self.is_for_all_ports
        return not is_anywhere and all(port.protocol.is_http for _, port in self.called)


def build(scope: scopes.Scope, cache: caching.Cache) -> steps.Steps[list[built.Built]]:
    """
    Build the listeners, each with its routes, in steps.

    Source: Sidecar `egress[].bind`, `captureMode`, `port.protocol`.
    """
    found: list[built.Built] = []
    for placed in _find(scope):
        found.append(_build_listener(placed, scope, cache))
        yield
        if placed.routes:
            found.append((yield from _build_routes(placed, scope, cache)))
            yield
    return found


def _find(scope: scopes.Scope) -> Iterator[_Placed]:
    for listener in scope.view.listeners if scope.view is not None else ():
        if listener.bind is None:
            continue
        if listener.is_for_all_ports:
            shown = [service for service in scope.in_order() if listener.shows_service(service)]
            called = [(service, port) for service in shown for port in service.ports]
            numbers = {listener.port: called}
        else:
            numbers = _by_number(listener, scope)
        for number, called in sorted(numbers.items()):
            spoken = tuple((service, _spoken(port, listener)) for service, port in called)
            if spoken and not _is_taken(listener.bind, number):
                yield _Placed(listener.bind, number, spoken, listener.is_for_all_ports)


def _by_number(
    listener: sidecars.Listener, scope: scopes.Scope
) -> dict[int, list[tuple[services.Service, services.ServicePort]]]:
    """What is called on a listener by port: its own, or each that belongs to no other."""
    found: dict[int, list[tuple[services.Service, services.ServicePort]]] = {}
    for service in scope.in_order():
        for port in service.ports:
            view = scope.view
            if view is None or view.listener_of(port.number) is not listener:
                continue
            if view.is_called_at(service, port.number):
                found.setdefault(port.number, []).append((service, port))
    return found


def _spoken(port: services.ServicePort, listener: sidecars.Listener) -> services.ServicePort:
    """A port as it is called on a listener that may declare the protocol."""
    if not listener.protocol:
        return port
    return replace(port, protocol=protocols.protocol_for(name=listener.protocol))


def _is_taken(bind: sidecars.Bind, number: int) -> bool:
    """Whether the proxy is there already, for what is redirected."""
    return bind.address == naming.ANY_ADDRESS and number in outbound_listeners.RESERVED


def _build_listener(placed: _Placed, scope: scopes.Scope, cache: caching.Cache) -> built.Built:
    others = [(service, port) for service, port in placed.called if not port.protocol.is_http]
    found = outbound_connections.for_ports(others, placed.number, scope)
    called = [service for service, _ in placed.called]
    listener = outbound_listeners.build_placed(
        placed.bind.address,
        placed.number,
        is_bound=placed.bind.is_bound,
        routes=placed.routes,
        is_http_only=placed.is_http_only,
        chains=found.chains,
        default=found.default,
        looks_up_hosts=any(service.is_resolved_when_called for service in called),
        settings=scope.settings,
    )
    sources = tuple(dict.fromkeys((*(service.ref for service in called), *found.sources)))
    return built.finish(type_urls.LISTENER, listener.name, listener, sources, cache)


def _build_routes(placed: _Placed, scope: scopes.Scope, cache: caching.Cache) -> steps.Steps[built.Built]:
    """Build the routes: by name and port where all ports come together, else by name."""
    if not placed.is_for_all_ports:
        table = yield from route_configs.build_table(placed.number, scope)
        return built.known(route_configs.join_table(placed.number, table, scope), cache)
    called = dict.fromkeys(service.hostname for service, _ in placed.called)
    shown = [scope.services[hostname] for hostname in called]
    config, sources = route_configs.build_for_all_ports(placed.routes, shown, scope)
    return built.finish(type_urls.ROUTES, config.name, config, sources, cache)
