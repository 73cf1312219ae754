"""What proxies send traffic with: the clusters, endpoints, listeners and routes that one scope shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.registry import protocols, registry, services
from bookmesh.mesh.snapshot import policies, routing, sidecars
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
    route_configs,
    traffic_policies,
)
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import cluster as cluster_wire
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import type_urls


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Outbound:
    """The resources all proxies of one scope share."""

    scope: scopes.Scope
    part: built.Part


def build(
    snapshot: snapshots.MeshSnapshot,
    *,
    namespace: str,
    is_router: bool,
    labels: Mapping[str, str],
    view: sidecars.View | None = None,
    caller: localities.Caller | None = None,
    cache: caching.Cache,
) -> Outbound:
    """Build all outbound resources of a scope; gateways have neither outbound listeners nor their routes."""
    scope = scopes.build_scope(
        snapshot, namespace=namespace, is_router=is_router, labels=labels, view=view, caller=caller
    )
    builder = _Builder(scope, cache)
    parts = [*builder.fixed_clusters(), *builder.service_clusters()]
    if not is_router:
        parts += [*builder.shared_listeners(), *builder.own_listeners(), *builder.routes()]
    return Outbound(scope, built.part_of(parts))


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

    def service_clusters(self) -> Iterator[built.Built]:
        for service in self.scope.services.values():
            for port in service.ports:
                policy = self.scope.policy_for(service)
                yield from self._cluster(service, port, subset="", labels={})
                for subset in policy.subsets:
                    yield from self._cluster(service, port, subset=subset.name, labels=subset.labels)

    def _cluster(
        self, service: services.Service, port: services.ServicePort, *, subset: str, labels: Mapping[str, str]
    ) -> Iterator[built.Built]:
        """One cluster, and its endpoints unless it finds them otherwise; nothing while its secret is missing."""
        policy, peers = self.scope.policy_for(service), self.scope.peers_of(service, port.number)
        effective = traffic_policies.effective_policy(policy, port=port.number, subset=subset)
        if self._lacks_secret(effective.tls, policy):
            return
        setting = localities.setting_in_force(
            effective, self.scope.caller, is_enabled=self.settings.is_locality_enabled
        )
        is_local = setting is not None
        ready = self.scope.snapshot.registry.endpoints_of(service.hostname, port.number)
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
            where = (policy, subset, caller, tuple(caller.labels.items())) if is_local else ()
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
        yield self.cache.get(("virtual-outbound", self.settings), self._build_virtual_outbound)
        http_ports = set(self._http_ports())
        for number in sorted(
            http_ports | outbound_listeners.shared_connection_ports(self.scope.services.values())
        ):
            users = tuple(s.ref for s in self.scope.services.values() if s.port(number) is not None)
            others = outbound_connections.for_port(number, self.scope)
            if not others.sources:
                key = ("http-listener", number, users, self.settings)
                yield self.cache.get(key, self._build_http_listener, number, users)
                continue
            listener = outbound_listeners.build_shared(
                number,
                has_http=number in http_ports,
                chains=others.chains,
                default=others.default,
                settings=self.settings,
            )
            sources = tuple(dict.fromkeys((*users, *others.sources)))
            yield built.finish(type_urls.LISTENER, listener.name, listener, sources, self.cache)

    def _http_ports(self) -> list[int]:
        return outbound_listeners.shared_http_ports(self.scope.services.values())

    def _build_virtual_outbound(self) -> built.Built:
        listener = outbound_listeners.build_virtual_outbound(self.settings)
        return built.finish(type_urls.LISTENER, listener.name, listener, (), self.cache)

    def _build_http_listener(self, number: int, sources: tuple[ObjectRef, ...]) -> built.Built:
        listener = outbound_listeners.build_http(number, self.settings)
        return built.finish(type_urls.LISTENER, listener.name, listener, sources, self.cache)

    def own_listeners(self) -> Iterator[built.Built]:
        """Listeners on the addresses of services that do not speak HTTP, or do not say so."""
        rules = self.scope.routings_for(routing.MESH)
        for service in self.scope.services.values():
            for port in service.ports:
                ready = self.scope.snapshot.registry.endpoints_of(service.hostname, port.number)
                for address in outbound_listeners.addresses_of(service, port, [e.ip for e in ready]):
                    rule = snapshots.routing_for(service.hostname, rules)
                    if rule is not None and (rule.spec.tcp or rule.spec.tls):
                        yield self._build_own_listener(service, port, address)
                        continue
                    policy = self.scope.policy_for(service)
                    key = ("listener", address, port, service.ref, policy, self.settings)
                    yield self.cache.get(key, self._build_own_listener, service, port, address)

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
                address, port.number, chains=found.chains, default=default
            )
        return built.finish(type_urls.LISTENER, listener.name, listener, tuple(found.sources), self.cache)

    def routes(self) -> Iterator[built.Built]:
        """Routes are built at every push: they depend on all services and rules, and cost little."""
        for number in self._http_ports():
            config, sources = route_configs.build_shared(number, self.scope)
            yield built.finish(type_urls.ROUTES, config.name, config, sources, self.cache)
        for service in self.scope.services.values():
            for port in service.ports:
                ready = self.scope.snapshot.registry.endpoints_of(service.hostname, port.number)
                is_listened = outbound_listeners.addresses_of(service, port, [e.ip for e in ready])
                if port.protocol is protocols.Protocol.AUTO and is_listened:
                    config, sources = route_configs.build_single(service, port, self.scope)
                    yield built.finish(type_urls.ROUTES, config.name, config, sources, self.cache)
