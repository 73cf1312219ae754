"""The resources of one scope, each alone: what is for a single service, and what the services of a port share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import destination_rules, load_balancers
from bookmesh.mesh.registry import protocols, registry, services
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.snapshot import settings as settings_
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


@dataclass(slots=True)
class Builder:
    """
    Builds single resources for one scope; every key of the cache names all that its value depends on.

    Clusters and endpoints for sidecars do not depend on the namespace, unless rules do: those of one snapshot are
    `_shared`, by service and policy, among callers at one place.
    """

    scope: scopes.Scope
    cache: caching.Cache
    _shared: dict[tuple[services.Service, policies.HostPolicy], tuple[built.Built, ...]] = field(init=False)

    def __post_init__(self) -> None:
        caller = self.scope.caller
        place = (caller, tuple(caller.labels.items()), self.scope.settings)
        self._shared = self.cache.notes_on(self.scope.snapshot).setdefault(place, {})

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
        if self.scope.is_router or policy.is_selective:  # secrets of a namespace may count
            yield from self._clusters(service, policy)
        else:
            found = self._shared.get((service, policy))
            if found is None:
                found = self._shared[service, policy] = tuple(self._clusters(service, policy))
            yield from found
        for port in service.ports if not self.scope.is_router else ():
            if self.scope.redirects(service, port):
                yield from self._own_listeners(service, port)

    def _clusters(self, service: services.Service, policy: policies.HostPolicy) -> Iterator[built.Built]:
        for port in service.ports:
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
            effective, self.scope.caller, self.settings, prefers=service.prefers
        )
        is_local = setting is not None
        known = endpoints.counted(
            self.scope.snapshot.registry.endpoints_of(service, port.number),
            effective,
            prefers=service.prefers,
        )
        members = endpoints.in_subset(known, labels)
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
        setting: load_balancers.LocalityLoadBalancer | None,
    ) -> built.Built:
        groups = localities.spread(members, setting, self.scope.caller)
        assignment = endpoints.build(cluster.name, groups, self.settings, plain=plain)
        return built.finish(type_urls.ENDPOINTS, cluster.name, assignment, cluster.sources, self.cache)

    def virtual_outbound(self) -> Iterator[built.Built]:
        """The listener that takes all connections, where they are redirected."""
        if self.scope.view is None or self.scope.view.is_intercepted:
            yield self.cache.get(("virtual-outbound", self.settings), self._build_virtual_outbound)

    def shared_ports(self) -> list[int]:
        """Ports of services without a listener of their own, sorted."""
        found = list(self.scope.redirected(self.scope.services.values()))
        http = outbound_listeners.shared_http_ports(found)
        return sorted({*http, *outbound_listeners.shared_connection_ports(found)})

    def shared_listener(self, number: int) -> built.Built | None:
        """The listener for all services of a port without one of their own; None when there are no such services."""
        has_http, others = self.has_http(number), outbound_connections.for_port(number, self.scope)
        if number in outbound_listeners.RESERVED or not (has_http or others.sources):
            return None
        users = tuple(service.ref for service in self.scope.services_on(number))
        looks_up_hosts = self.scope.looks_up_hosts(number)
        if not others.sources:
            key = ("http-listener", number, users, looks_up_hosts, self.settings)
            return self.cache.get(key, self._build_http_listener, number, users, looks_up_hosts)
        listener = outbound_listeners.build_shared(
            number,
            has_http=has_http,
            chains=others.chains,
            default=others.default,
            looks_up_hosts=looks_up_hosts,
            settings=self.settings,
        )
        sources = tuple(dict.fromkeys((*users, *others.sources)))
        return built.finish(type_urls.LISTENER, listener.name, listener, sources, self.cache)

    def has_http(self, number: int) -> bool:
        """Whether services share a listener and a route configuration on a port."""
        found = self.scope.redirected(self.scope.services_on(number))
        return number in outbound_listeners.shared_http_ports(found)

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
        known = self.scope.snapshot.registry.endpoints_of(service, port.number)
        addresses = outbound_listeners.addresses_of(service, port, [e.ip for e in known])
        is_routed = bool(addresses and self.scope.connection_rules_for(service.hostname))
        for address in addresses:
            if is_routed:
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
