"""
What proxies of one kind in one namespace see: the services, and how names in a route resolve to clusters.

All outbound resources depend on a scope and on nothing else of a proxy, so proxies that share a scope share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bookmesh.mesh.model import destination_rules, matching
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.snapshot import policies, routing
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import clusters, naming, traffic_policies


@dataclass(frozen=True, slots=True)
class Scope:
    """`labels` are those of the proxy that some `sourceLabels` asks for; `services` are in hostname order."""

    snapshot: snapshots.MeshSnapshot
    namespace: str
    is_router: bool
    labels: Mapping[str, str]
    services: Mapping[str, services_.Service]
    _policies: dict[str, policies.HostPolicy] = field(default_factory=dict)

    def policy_for(self, service: services_.Service) -> policies.HostPolicy:
        """The DestinationRules for one service, looked up once."""
        found = self._policies.get(service.hostname)
        if found is None:
            found = self._policies[service.hostname] = self.snapshot.policy_for(service, self.namespace)
        return found

    def peers_of(self, service: services_.Service, port: int) -> clusters.Peers:
        """
        Who may answer for a service.

        The identities come from all pods behind it, ready or not, so that they do not change while pods restart.
        """
        settings, registry = self.snapshot.settings, self.snapshot.registry
        endpoints = registry.endpoints_of(service.hostname, port)
        selected = [
            workload
            for workload in registry.workloads.values()
            if workload.namespace == service.namespace and service.selects(workload.labels)
        ]
        behind = selected or [e.workload for e in endpoints if e.workload is not None]
        ids = {naming.spiffe_id(settings.trust_domain, w.namespace, w.service_account) for w in behind}
        return clusters.Peers(
            ids=tuple(sorted(ids)), all_speak_mtls=bool(endpoints) and all(e.speaks_mtls for e in endpoints)
        )

    def destination_cluster(
        self, rule: routing.Routing, destination: matching.Destination, *, listen_port: int
    ) -> str:
        """
        Name the cluster of a destination; it may not exist, then Envoy answers 503.

        Without a port the only port of the service counts, and for one with several the port that was called.
        """
        host = rule.destination_host(destination)
        port = listen_port
        service = self.services.get(host)
        if destination.port is not None and destination.port.number:
            port = destination.port.number
        elif service is not None and len(service.ports) == 1:
            port = service.ports[0].number
        return naming.outbound_cluster(host, port, destination.subset)

    def consistent_hash(
        self, rule: routing.Routing, destination: matching.Destination, *, listen_port: int
    ) -> destination_rules.ConsistentHash | None:
        service = self.services.get(rule.destination_host(destination))
        if service is None:
            return None
        port = destination.port.number if destination.port is not None else listen_port
        return self.service_hash(service, port, subset=destination.subset)

    def service_hash(
        self, service: services_.Service, port: int, *, subset: str = ""
    ) -> destination_rules.ConsistentHash | None:
        """The hash by which requests to a service port stick to an endpoint, if there is one."""
        policy = traffic_policies.effective_policy(self.policy_for(service), port=port, subset=subset)
        return policy.load_balancer.consistent_hash if policy.load_balancer is not None else None


def build_scope(
    snapshot: snapshots.MeshSnapshot, *, namespace: str, is_router: bool, labels: Mapping[str, str]
) -> Scope:
    visible = {service.hostname: service for service in snapshot.services_visible_in(namespace)}
    return Scope(snapshot=snapshot, namespace=namespace, is_router=is_router, labels=labels, services=visible)


def relevant_labels(snapshot: snapshots.MeshSnapshot, labels: Mapping[str, str]) -> dict[str, str]:
    """Of a proxy's labels keep the ones that any route asks for by `sourceLabels`."""
    asked = {
        label
        for rule in snapshot.routings
        for route in rule.spec.http
        for match in route.match
        for label in match.source_labels
    }
    return {label: value for label, value in sorted(labels.items()) if label in asked}
