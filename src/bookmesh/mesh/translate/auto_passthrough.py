"""
Servers of a Gateway with TLS mode AUTO_PASSTHROUGH: the name in the greeting says which service is meant.

Clients in other networks send mTLS of the mesh with the server name `outbound_.PORT_.SUBSET_.HOST`. The gateway sees
none of it: it passes the connection on to an endpoint that speaks mTLS, by a cluster of the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import gateways as gateways_
from bookmesh.mesh.snapshot import hosts
from bookmesh.mesh.translate import (
    built,
    caching,
    clusters,
    endpoints,
    filters,
    localities,
    naming,
    traffic_policies,
)
from bookmesh.mesh.translate import scope as scopes
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import type_urls

_ALPN = (*naming.MESH_HTTP_ALPN, *naming.MESH_ALPN)


def build_chains(server: gateways_.GatewayServer, scope: scopes.Scope) -> Iterator[wire.FilterChain]:
    """
    Build one chain for every service port, and subset, that the server's hosts cover.

    Source: Gateway `servers[].tls.mode` AUTO_PASSTHROUGH.
    """
    for service, port, subset, _ in _targets(server.patterns, scope):
        name = naming.outbound_sni(service.hostname, port.number, subset)
        match = wire.FilterChainMatch(
            server_names=[name.lower()], application_protocols=_ALPN, transport_protocol="tls"
        )
        chain_filter = filters.tcp_proxy(name, scope.settings)
        yield wire.FilterChain(filter_chain_match=match, filters=[chain_filter])


def build_clusters(
    ports: tuple[gateways_.GatewayPort, ...], scope: scopes.Scope, cache: caching.Cache
) -> Iterator[built.Built]:
    """Build the clusters that the chains of all such servers lead to, with those endpoints that take mTLS."""
    servers = [server for port in ports for server in port.servers if server.is_auto_passthrough]
    patterns = tuple(pattern for server in servers for pattern in server.patterns)
    for service, port, subset, labels in _targets(patterns, scope):
        name = naming.outbound_sni(service.hostname, port.number, subset)
        policy = scope.policy_for(service)
        cluster = clusters.build_by_server_name(
            name, service, port, subset=subset, policy=policy, settings=scope.settings
        )
        sources = (service.ref, *policy.refs, *dict.fromkeys(server.ref for server in servers))
        yield built.finish(type_urls.CLUSTER, name, cluster, sources, cache)
        effective = traffic_policies.effective_policy(policy, port=port.number, subset=subset)
        groups = _groups(service, port, labels, effective, scope)
        assignment = endpoints.build(name, groups, scope.settings)
        yield built.finish(type_urls.ENDPOINTS, name, assignment, sources, cache)


def _targets(
    patterns: tuple[str, ...], scope: scopes.Scope
) -> Iterator[tuple[services.Service, services.ServicePort, str, Mapping[str, str]]]:
    """(service, port, subset, labels) of all that is inside the mesh and covered by a pattern."""
    for service in scope.in_order():
        if service.is_external or service.is_resolved_by_dns:
            continue
        if not any(hosts.matches(pattern, service.hostname) for pattern in patterns):
            continue
        for port in service.ports:
            yield service, port, "", {}
            for subset in scope.policy_for(service).subsets:
                yield service, port, subset.name, subset.labels


def _groups(
    service: services.Service,
    port: services.ServicePort,
    labels: Mapping[str, str],
    policy: traffic_policies.EffectivePolicy,
    scope: scopes.Scope,
) -> list[localities.Group]:
    """Plain text would lead past the peer's mTLS, so endpoints that do not take it are left out."""
    found = endpoints.counted(scope.snapshot.registry.endpoints_of(service, port.number), policy)
    members = endpoints.in_subset(found, labels)
    return localities.spread([e for e in members if scope.snapshot.accepts_mtls(e)], None, scope.caller)
