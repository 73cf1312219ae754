"""What proxies send traffic with: the clusters, endpoints, listeners and routes that one scope shares."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bookmesh.base import overlays, steps
from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.registry import protocols, registry, services
from bookmesh.mesh.snapshot import changes as changes_
from bookmesh.mesh.snapshot import hosts, policies, routing, sidecars
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import (
    built,
    caching,
    client_tls,
    clusters,
    endpoints,
    localities,
    outbound_connections,
    outbound_listeners,
    placed_listeners,
    route_configs,
    traffic_policies,
)
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import cluster as cluster_wire
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import type_urls


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Outbound:
    """
    The resources all proxies of one scope share, and what they are made of: `services` has the resources of each
    service alone, by hostname, `tables` the virtual hosts of each port that services share.
    """

    scope: scopes.Scope
    part: built.Part
    services: Mapping[str, tuple[built.Built, ...]]
    tables: Mapping[int, route_configs.Table]


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
    if previous is not None and changes is not None and _is_simple(changes, view):
        return _update(previous, snapshot, changes, cache)
    scope = scopes.build_scope(
        snapshot, namespace=namespace, is_router=is_router, labels=labels, view=view, caller=caller
    )
    builder = _Builder(scope, cache)
    own: dict[str, tuple[built.Built, ...]] = {}
    for hostname, service in scope.services.items():
        own[hostname] = tuple(builder.service(service))
        yield
    parts = [*builder.fixed_clusters(), *itertools.chain.from_iterable(own.values())]
    tables: dict[int, route_configs.Table] = {}
    for number in builder.http_ports() if not is_router else ():
        tables[number] = yield from route_configs.build_table(number, scope)
        parts.append(builder.routes(number, tables[number]))
        yield
    for listener in builder.shared_listeners() if not is_router else ():
        parts.append(listener)
        yield
    parts += yield from placed_listeners.build(scope, cache)
    return Outbound(scope, built.part_of(parts), own, tables)


def _is_simple(changes: changes_.Changes, view: sidecars.View | None) -> bool:
    """
    Whether changes are about single services: not so when routes decide which services a Sidecar shows, or when
    listeners depend on them.
    """
    if not changes.routings:
        return True
    return view is None and not any(rule.spec.tcp or rule.spec.tls for rule in changes.routings)


def _update(
    previous: Outbound, snapshot: snapshots.MeshSnapshot, changes: changes_.Changes, cache: caching.Cache
) -> Outbound:
    scope = replace(previous.scope, snapshot=snapshot)
    builder = _Builder(scope, cache)
    rules = [rule for rule in changes.routings if not scope.is_router and scope.sees(rule)]
    routed, has_unknown = _routed_hosts(rules, scope)
    own: dict[str, tuple[built.Built, ...]] = {}
    tables = dict(previous.tables)
    gone: list[built.Built] = []
    fresh: list[built.Built] = []
    for hostname in routed.union(host for host in changes.hosts if host in scope.services):
        gone += previous.services[hostname]
        own[hostname] = tuple(builder.service(scope.services[hostname]))
        fresh += own[hostname]
    ports = {port.number for hostname in routed for port in scope.services[hostname].ports} & tables.keys()
    if has_unknown:
        ports |= {route_configs.UNKNOWN_HOST_PORT} & tables.keys()
    for number in ports:
        here = [hostname for hostname in routed if hostname in tables[number].services]
        tables[number] = route_configs.update_table(
            tables[number], number, scope, here, has_others=has_unknown
        )
        fresh.append(builder.routes(number, tables[number]))
    services_now = overlays.changed(previous.services, own)
    return Outbound(scope, built.replace_in(previous.part, gone, fresh), services_now, tables)


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


@dataclass(frozen=True, slots=True)
class _Builder:
    """Pairs a scope with the cache; every key names all that its value depends on."""

    scope: scopes.Scope
    cache: caching.Cache

    @property
    def settings(self) -> settings_.MeshSettings:
        return self.scope.settings

    def fixed_clusters(self) -> Iterator[built.Built]:
        found = [clusters.build_blackhole(self.settings)]
        if not self.scope.is_router:
            found.append(clusters.build_passthrough(self.settings))
        for cluster in found:
            yield built.finish(type_urls.CLUSTER, cluster.name, cluster, (), self.cache)

    def service(self, service: services.Service) -> Iterator[built.Built]:
        """All that is for one service alone."""
        policy = self.scope.policy_for(service)
        for port in service.ports:
            yield from self._cluster(service, port, subset="", labels={})
            for subset in policy.subsets:
                yield from self._cluster(service, port, subset=subset.name, labels=subset.labels)
            if not self.scope.is_router and self.scope.redirects(service, port):
                yield from self._own_listeners(service, port)

    def _cluster(
        self, service: services.Service, port: services.ServicePort, *, subset: str, labels: Mapping[str, str]
    ) -> Iterator[built.Built]:
        """One cluster, and its endpoints unless it finds them otherwise; nothing while its secret is missing."""
        policy, peers = self.scope.policy_for(service), self.scope.peers_of(service, port.number)
        effective = traffic_policies.effective_policy(policy, port=port.number, subset=subset)
        if self._lacks_secret(effective.tls, policy):
            return
        setting = localities.setting_in_force(effective, self.scope.caller, self.settings)
        is_local = setting is not None
        ready = self.scope.snapshot.registry.endpoints_of(service, port.number)
        members = endpoints.in_subset(ready, labels)
        named = members if service.is_resolved_by_dns else ()
        key = (
            "cluster",
            service,
            port.number,
            subset,
            policy,
            peers,
            named,
            is_local,
            self.scope.is_router,
            self.settings,
        )
        cluster = self.cache.get(
            key,
            self._build_cluster,
            service,
            port,
            subset=subset,
            peers=peers,
            named=named,
            is_local=is_local,
        )
        yield cluster
        if cluster.message.type == cluster_wire.Cluster.EDS:
            caller = self.scope.caller
            labels_of = tuple(caller.labels.items())
            where = (policy, subset, caller, labels_of, self.settings) if is_local else ()
            plain = frozenset(e for e in members if e.speaks_mtls and not self.scope.snapshot.accepts_mtls(e))
            endpoints_key = (
                "endpoints",
                cluster.name,
                members,
                plain,
                cluster.sources,
                self.settings.cluster_id,
                where,
            )
            yield self.cache.get(endpoints_key, self._build_endpoints, cluster, members, plain, setting)

    def _lacks_secret(self, tls: destination_rules.ClientTls | None, policy: policies.HostPolicy) -> bool:
        """A cluster that waits for a secret would hold up all others, so it is not there until the secret is."""
        if tls is None or not (self.scope.is_router or policy.is_selective):
            return False
        return bool(client_tls.problem_with(tls, self.scope.namespace, self.scope.snapshot.credentials))

    def _build_cluster(
        self,
        service: services.Service,
        port: services.ServicePort,
        *,
        subset: str,
        peers: client_tls.Peers,
        named: tuple[registry.Endpoint, ...],
        is_local: bool,
    ) -> built.Built:
        policy = self.scope.policy_for(service)
        cluster = clusters.build_outbound(
            service,
            port,
            subset=subset,
            policy=policy,
            peers=peers,
            endpoints=named,
            is_local=is_local,
            is_router=self.scope.is_router,
            settings=self.settings,
        )
        return built.finish(type_urls.CLUSTER, cluster.name, cluster, (service.ref, *policy.refs), self.cache)

    def _build_endpoints(
        self,
        cluster: built.Built,
        members: tuple[registry.Endpoint, ...],
        plain: frozenset[registry.Endpoint],
        setting: destination_rules.LocalityLoadBalancer | None,
    ) -> built.Built:
        groups = localities.spread(members, setting, self.scope.caller)
        assignment = endpoints.build(cluster.name, groups, self.settings, plain=plain)
        return built.finish(type_urls.ENDPOINTS, cluster.name, assignment, cluster.sources, self.cache)

    def shared_listeners(self) -> Iterator[built.Built]:
        """The listener that takes all connections, and one for every port of services without one of their own."""
        if self.scope.view is None or self.scope.view.is_intercepted:
            yield self.cache.get(("virtual-outbound", self.settings), self._build_virtual_outbound)
        http_ports = set(self.http_ports())
        for number in sorted(
            http_ports | outbound_listeners.shared_connection_ports(self.scope.redirected())
        ):
            users = tuple(service.ref for service in self.scope.services_on(number))
            others = outbound_connections.for_port(number, self.scope)
            looks_up_hosts = self.scope.looks_up_hosts(number)
            if not others.sources:
                key = ("http-listener", number, users, looks_up_hosts, self.settings)
                yield self.cache.get(key, self._build_http_listener, number, users, looks_up_hosts)
                continue
            listener = outbound_listeners.build_shared(
                number,
                has_http=number in http_ports,
                chains=others.chains,
                default=others.default,
                looks_up_hosts=looks_up_hosts,
                settings=self.settings,
            )
            sources = tuple(dict.fromkeys((*users, *others.sources)))
            yield built.finish(type_urls.LISTENER, listener.name, listener, sources, self.cache)

    def http_ports(self) -> list[int]:
        """Ports on which services share a listener and a route configuration, sorted."""
        return outbound_listeners.shared_http_ports(self.scope.redirected())

    def _build_virtual_outbound(self) -> built.Built:
        listener = outbound_listeners.build_virtual_outbound(self.settings)
        return built.finish(type_urls.LISTENER, listener.name, listener, (), self.cache)

    def _build_http_listener(
        self, number: int, sources: tuple[ObjectRef, ...], looks_up_hosts: bool
    ) -> built.Built:
        listener = outbound_listeners.build_http(number, self.settings, looks_up_hosts=looks_up_hosts)
        return built.finish(type_urls.LISTENER, listener.name, listener, sources, self.cache)

    def _own_listeners(self, service: services.Service, port: services.ServicePort) -> Iterator[built.Built]:
        """Listeners on the addresses of a service that does not speak HTTP, or does not say so; then with routes."""
        ready = self.scope.snapshot.registry.endpoints_of(service, port.number)
        addresses = outbound_listeners.addresses_of(service, port, [e.ip for e in ready])
        rule = self.scope.rule_for(service.hostname) if addresses else None
        for address in addresses:
            if rule is not None and (rule.spec.tcp or rule.spec.tls):
                yield self._build_own_listener(service, port, address)
                continue
            policy = self.scope.policy_for(service)
            key = ("listener", address, port, service.ref, policy, self.settings)
            yield self.cache.get(key, self._build_own_listener, service, port, address)
        if port.protocol is protocols.Protocol.AUTO and addresses:
            config, sources = route_configs.build_single(service, port, self.scope)
            yield built.finish(type_urls.ROUTES, config.name, config, sources, self.cache)

    def _build_own_listener(
        self, service: services.Service, port: services.ServicePort, address: str
    ) -> built.Built:
        found = outbound_connections.for_service(service, port, self.scope)
        default = found.default or wire.FilterChain()
        if port.protocol is protocols.Protocol.AUTO:
            listener = outbound_listeners.build_detecting(
                address,
                port.number,
                routes=route_configs.single_name(service, port),
                chains=found.chains,
                default=default,
                settings=self.settings,
            )
        else:
            listener = outbound_listeners.build_tcp(
                address, port.number, chains=found.chains, default=default, settings=self.settings
            )
        return built.finish(type_urls.LISTENER, listener.name, listener, tuple(found.sources), self.cache)

    def routes(self, number: int, table: route_configs.Table) -> built.Built:
        """The route configuration of one port that services share."""
        return built.known(route_configs.join_table(number, table, self.scope), self.cache)
