"""What proxies send traffic with: the clusters, endpoints, listeners and routes that one scope shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bookmesh.mesh.registry import protocols, registry, services
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import (
    built,
    caching,
    clusters,
    endpoints,
    naming,
    outbound_listeners,
    route_configs,
)
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import cluster as cluster_wire
from bookmesh.mesh.wire import type_urls


@dataclass(frozen=True, slots=True)
class Outbound:
    """The resources all proxies of one scope share."""

    scope: scopes.Scope
    built: tuple[built.Built, ...]


def build(
    snapshot: snapshots.MeshSnapshot,
    *,
    namespace: str,
    is_router: bool,
    labels: Mapping[str, str],
    cache: caching.Cache,
) -> Outbound:
    """Build all outbound resources of a scope; gateways have neither outbound listeners nor their routes."""
    scope = scopes.build_scope(snapshot, namespace=namespace, is_router=is_router, labels=labels)
    builder = _Builder(scope, cache)
    parts = [*builder.fixed_clusters(), *builder.service_clusters()]
    if not is_router:
        parts += [*builder.shared_listeners(), *builder.own_listeners(), *builder.routes()]
    return Outbound(scope, tuple(parts))


@dataclass(frozen=True, slots=True)
class _Builder:
    """Pairs a scope with the cache; every key names all that its value depends on."""

    scope: scopes.Scope
    cache: caching.Cache

    @property
    def settings(self) -> settings_.MeshSettings:
        return self.scope.snapshot.settings

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
        """One cluster, and its endpoints unless it finds them otherwise."""
        policy, peers = self.scope.policy_for(service), self.scope.peers_of(service, port.number)
        key = ("cluster", service, port.number, subset, policy, peers, self.scope.is_router, self.settings)
        cluster = self.cache.get(key, self._build_cluster, service, port, subset, peers)
        yield cluster
        if cluster.message.type == cluster_wire.Cluster.EDS:
            ready = self.scope.snapshot.registry.endpoints_of(service.hostname, port.number)
            members = endpoints.in_subset(ready, labels)
            endpoints_key = ("endpoints", cluster.name, members, cluster.sources, self.settings.cluster_id)
            yield self.cache.get(endpoints_key, self._build_endpoints, cluster, members)

    def _build_cluster(
        self, service: services.Service, port: services.ServicePort, subset: str, peers: clusters.Peers
    ) -> built.Built:
        policy = self.scope.policy_for(service)
        cluster = clusters.build_outbound(
            service,
            port,
            subset=subset,
            policy=policy,
            peers=peers,
            is_router=self.scope.is_router,
            settings=self.settings,
        )
        return built.finish(type_urls.CLUSTER, cluster.name, cluster, (service.ref, *policy.refs), self.cache)

    def _build_endpoints(self, cluster: built.Built, members: tuple[registry.Endpoint, ...]) -> built.Built:
        assignment = endpoints.build(cluster.name, members, self.settings)
        return built.finish(type_urls.ENDPOINTS, cluster.name, assignment, cluster.sources, self.cache)

    def shared_listeners(self) -> Iterator[built.Built]:
        """The listener that takes all connections, and one for every HTTP port."""
        yield self.cache.get(("virtual-outbound", self.settings), self._build_virtual_outbound)
        for number in self._http_ports():
            sources = tuple(s.ref for s in self.scope.services.values() if s.port(number) is not None)
            yield self.cache.get(
                ("http-listener", number, sources, self.settings), self._build_http_listener, number
            )

    def _http_ports(self) -> list[int]:
        return outbound_listeners.shared_http_ports(self.scope.services.values())

    def _build_virtual_outbound(self) -> built.Built:
        listener = outbound_listeners.build_virtual_outbound(self.settings)
        return built.finish(type_urls.LISTENER, listener.name, listener, (), self.cache)

    def _build_http_listener(self, number: int) -> built.Built:
        listener = outbound_listeners.build_http(number, self.settings)
        sources = tuple(s.ref for s in self.scope.services.values() if s.port(number) is not None)
        return built.finish(type_urls.LISTENER, listener.name, listener, sources, self.cache)

    def own_listeners(self) -> Iterator[built.Built]:
        """Listeners on the addresses of services that do not speak HTTP, or do not say so."""
        for service in self.scope.services.values():
            for port in service.ports:
                ready = self.scope.snapshot.registry.endpoints_of(service.hostname, port.number)
                for address in outbound_listeners.addresses_of(service, port, [e.ip for e in ready]):
                    key = ("listener", address, port, service.ref, self.settings)
                    yield self.cache.get(key, self._build_own_listener, service, port, address)

    def _build_own_listener(
        self, service: services.Service, port: services.ServicePort, address: str
    ) -> built.Built:
        cluster = naming.outbound_cluster(service.hostname, port.number)
        if port.protocol is protocols.Protocol.AUTO:
            listener = outbound_listeners.build_detecting(
                address,
                port.number,
                cluster=cluster,
                routes=route_configs.single_name(service, port),
                settings=self.settings,
            )
        else:
            listener = outbound_listeners.build_tcp(address, port.number, cluster, self.settings)
        return built.finish(type_urls.LISTENER, listener.name, listener, (service.ref,), self.cache)

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
