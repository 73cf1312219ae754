"""What proxies send traffic with: the clusters, endpoints, listeners and routes that one scope shares."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bookmesh.base import overlays, steps
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.snapshot import changes as changes_
from bookmesh.mesh.snapshot import hosts, routing, sidecars
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import (
    built,
    caching,
    localities,
    outbound_resources,
    placed_listeners,
    route_configs,
)
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import type_urls


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Outbound:
    """
    The resources all proxies of one scope share, and what they are made of: `services` has the resources of each
    service alone, by hostname; `tables` and `listeners` the virtual hosts and the listener of each port that services
    share. `clashing` are the keys of those resources of which there were several; the last one counts.
    """

    scope: scopes.Scope
    part: built.Part
    services: Mapping[str, tuple[built.Built, ...]]
    tables: Mapping[int, route_configs.Table]
    listeners: Mapping[int, built.Built]
    clashing: frozenset[built.Key]


def build(
    snapshot: snapshots.MeshSnapshot,
    *,
    namespace: str,
    is_router: bool,
    labels: Mapping[str, str],
    view: sidecars.View | None = None,
    caller: localities.Caller | None = None,
    cache: caching.Cache,
    previous: Outbound | None = None,
) -> steps.Steps[Outbound]:
    """
    Build all outbound resources of a scope; gateways have neither outbound listeners nor their routes. It stops after
    each service, so that whoever asks for it may do something else in between.

    `previous` is what was built for the same scope before: when little has changed since, only what depends on it is
    built anew. The result is the same.
    """
    changes = snapshot.changes_since(previous.scope.snapshot) if previous is not None else None
    if previous is not None and changes is not None:
        updated = yield from _Update(previous, snapshot, changes, cache).run()
        if updated is not None:
            return updated
    scope = scopes.build_scope(
        snapshot, namespace=namespace, is_router=is_router, labels=labels, view=view, caller=caller
    )
    builder = outbound_resources.Builder(scope, cache)
    own: dict[str, tuple[built.Built, ...]] = {}
    for hostname, service in scope.services.items():
        own[hostname] = tuple(builder.service(service))
        yield
    parts = [*builder.fixed_clusters(), *itertools.chain.from_iterable(own.values())]
    tables: dict[int, route_configs.Table] = {}
    listeners: dict[int, built.Built] = {}
    for number in builder.shared_ports() if not is_router else ():
        if builder.has_http(number):
            tables[number] = yield from route_configs.build_table(number, scope)
            parts.append(builder.routes(number, tables[number]))
        listener = builder.shared_listener(number)
        if listener is not None:
            listeners[number] = listener
        yield
    if not is_router:
        parts += [*builder.virtual_outbound(), *listeners.values()]
    parts += yield from placed_listeners.build(scope, cache)
    clashing = {key for key, count in Counter(map(built.key_of, parts)).items() if count > 1}
    return Outbound(scope, built.part_of(parts), own, tables, listeners, frozenset(clashing))


class _Update:
    """What became of a scope's resources by changes of which each is about few services."""

    def __init__(
        self,
        previous: Outbound,
        snapshot: snapshots.MeshSnapshot,
        changes: changes_.Changes,
        cache: caching.Cache,
    ) -> None:
        self._previous = previous
        self._changes = changes
        self._scope = previous.scope.updated(snapshot, changes)
        self._builder = outbound_resources.Builder(self._scope, cache)
        old, new = previous.scope.services, self._scope.services
        concerned_hosts = previous.scope.concerned(changes)
        self._moved = {host for host in concerned_hosts if old.get(host) is not new.get(host)}
        self._others = changes.ruled | self._moved
        concerned = {*changes.routings, *snapshot.index.leading_to(self._others)}
        self._routings = [rule for rule in concerned if not self._scope.is_router and self._scope.sees(rule)]
        self._gone: list[built.Built] = []
        self._fresh: list[built.Built] = []

    def run(self) -> steps.Steps[Outbound | None]:
        """Build what is otherwise now; None when that may be more than can be told."""
        if not self._is_simple():
            return None
        scope = self._scope
        routed, has_unknown = _routed_hosts(self._routings, scope)
        rerouted = {host for host in routed | self._others if host in scope.services}
        own = self._build_services(rerouted)
        yield
        tables, listeners = dict(self._previous.tables), dict(self._previous.listeners)
        if not scope.is_router:
            yield from self._update_tables(tables, rerouted, has_unknown=has_unknown)
            has_connections = any(rule.spec.tcp or rule.spec.tls for rule in self._routings)
            self._update_listeners(listeners, self._others | (rerouted if has_connections else set()))
        if self._has_clashes():
            return None
        part = self._previous.part
        return Outbound(
            scope,
            built.replace_in(part, self._gone, self._fresh) if self._gone or self._fresh else part,
            overlays.changed(self._previous.services, own),
            tables,
            listeners,
            self._previous.clashing,
        )

    def _is_simple(self) -> bool:
        """Not so where a Sidecar has listeners at places of their own, or its HTTP proxy is somewhere else now."""
        changes, view = self._changes, self._scope.view
        if view is None or not (changes.routings or changes.services or changes.rules):
            return True
        proxy = view.egress_proxy
        is_moved = proxy is not None and proxy.port is None and proxy.host in changes.services
        return not is_moved and all(each.bind is None for each in view.listeners)

    def _build_services(self, rerouted: set[str]) -> dict[str, tuple[built.Built, ...] | None]:
        scope, known = self._scope, self._previous.services
        own: dict[str, tuple[built.Built, ...] | None] = {}
        for host in {*rerouted, *self._moved, *self._changes.hosts}:
            service = scope.services.get(host)
            found = tuple(self._builder.service(service)) if service is not None else ()
            own[host] = found if service is not None else None
            self._gone += known.get(host, ())
            self._fresh += found
        return own

    def _update_tables(
        self, tables: dict[int, route_configs.Table], rerouted: set[str], *, has_unknown: bool
    ) -> steps.Steps[None]:
        scope, moved_ports = self._scope, self._ports_of(self._moved)
        old, new = self._previous.scope.services, scope.services
        appeared = (host for host in self._moved if (host in old) != (host in new))
        has_unknown = has_unknown or any(map(scope.snapshot.index.names, appeared))
        ports = self._ports_of(rerouted) | ({route_configs.UNKNOWN_HOST_PORT} if has_unknown else set())
        for number in sorted(ports & tables.keys() - moved_ports):
            here = [host for host in rerouted if host in tables[number].services]
            tables[number] = route_configs.update_table(
                tables[number], number, scope, here, has_others=has_unknown
            )
            yield
        for number in sorted(moved_ports):
            before = tables.pop(number, route_configs.Table({}))
            if self._builder.has_http(number):
                kept = {host: one for host, one in before.services.items() if host not in rerouted}
                tables[number] = yield from route_configs.build_table(number, scope, kept)
            yield
        self._replace_routes(tables)

    def _replace_routes(self, tables: Mapping[int, route_configs.Table]) -> None:
        before = self._previous.tables
        for number in before.keys() | tables.keys():
            if before.get(number) is not tables.get(number):
                if number in before:
                    self._gone.append(self._previous.part.built[type_urls.ROUTES][str(number)])
                if number in tables:
                    self._fresh.append(self._builder.routes(number, tables[number]))

    def _update_listeners(self, listeners: dict[int, built.Built], hosts_: Iterable[str]) -> None:
        for number in sorted(self._ports_of(hosts_)):
            before, after = listeners.pop(number, None), self._builder.shared_listener(number)
            if before is not None:
                self._gone.append(before)
            if after is not None:
                listeners[number] = after
                self._fresh.append(after)

    def _ports_of(self, hosts_: Iterable[str]) -> set[int]:
        """The ports of services, as they were and as they are."""
        places: Sequence[Mapping[str, services_.Service]]
        places = self._previous.scope.services, self._scope.services
        return {n for host in hosts_ for place in places if host in place for n in place[host].port_numbers}

    def _has_clashes(self) -> bool:
        """Whether another resource has or had the name of one that came or went: then it depends on their order."""
        gone, fresh = set(map(built.key_of, self._gone)), list(map(built.key_of, self._fresh))
        known = self._previous.part.built
        return (
            len(set(fresh)) < len(fresh)
            or not self._previous.clashing.isdisjoint(gone.union(fresh))
            or any(name in known[type_url] for type_url, name in fresh if (type_url, name) not in gone)
        )


def _routed_hosts(rules: Sequence[routing.Routing], scope: scopes.Scope) -> tuple[set[str], bool]:
    """The services that VirtualServices may be for, and whether they may be for a host that no service has."""
    found: set[str] = set()
    has_unknown = any(map(route_configs.names_unknown_port, rules))
    for pattern in {host for rule in rules for host in rule.hosts}:
        if pattern in scope.services:
            found.add(pattern)
            continue
        has_unknown = True
        if pattern.startswith("*"):
            found.update(host for host in scope.services if hosts.matches(pattern, host))
        elif pattern.lower() in scope.services:
            found.add(pattern.lower())
    return found, has_unknown
