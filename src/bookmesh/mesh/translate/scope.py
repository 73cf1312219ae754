"""
What proxies of one kind in one namespace see: the services, and how names in a route resolve to clusters.

All outbound resources depend on a scope and on nothing else of a proxy, so proxies that share a scope share them.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from bookmesh.base import overlays
from bookmesh.mesh.model import destination_rules, load_balancers, matching, parsing, virtual_services
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.snapshot import changes as changes_
from bookmesh.mesh.snapshot import configs, policies, routing, sidecars
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import client_tls, localities, naming, traffic_policies
from bookmesh.mesh.translate import tcp_options as tcp_options_


@dataclass(frozen=True, slots=True)
class Scope:
    """
    `labels` are those of the proxy that some configuration asks for; `services` are by hostname. `settings` are
    those of the mesh, with what the Sidecar (`view`) of the proxies changes.
    """

    snapshot: snapshots.MeshSnapshot
    namespace: str
    is_router: bool
    labels: Mapping[str, str]
    services: Mapping[str, services_.Service]
    settings: settings_.MeshSettings
    view: sidecars.View | None = None
    caller: localities.Caller = field(default_factory=localities.Caller)
    _policies: dict[str, policies.HostPolicy] = field(default_factory=dict)
    _by_port: dict[int, tuple[services_.Service, ...]] = field(default_factory=dict)

    def services_on(self, port: int) -> Sequence[services_.Service]:
        """The services that are called at a port of this number, in hostname order."""
        if not self._by_port:
            found: defaultdict[int, list[services_.Service]] = defaultdict(list)
            for service in self.in_order():
                for number in service.port_numbers:
                    if self._is_called_at(number, service):
                        found[number].append(service)
            self._by_port.update((number, tuple(own)) for number, own in found.items())
        return self._by_port.get(port, ())

    def in_order(self) -> Iterator[services_.Service]:
        """All services, in hostname order."""
        return (self.services[hostname] for hostname in sorted(self.services))

    def redirects(self, service: services_.Service, port: services_.ServicePort) -> bool:
        """Whether what is sent to a service's port goes through the proxy because it is redirected to it."""
        view = self.view
        return view is None or (view.is_called_at(service, port.number) and view.bind_of(port.number) is None)

    def redirected(
        self, called: Iterable[services_.Service]
    ) -> Iterator[tuple[services_.Service, services_.ServicePort]]:
        """The ports of services that are called at their own addresses."""
        for service in called:
            for port in service.ports:
                if self.redirects(service, port):
                    yield service, port

    def see(self, host: str) -> services_.Service | None:
        """
        The service of a host, if the scope has one. With a Sidecar that is a service that it shows, with the ports that
        are shown; what a route leads to is there with all its ports, but not called by its name.
        """
        snapshot, view = self.snapshot, self.view
        if view is None:
            return snapshot.visible_service(host, self.namespace, is_router=self.is_router)
        found = snapshot.visible_service(host, self.namespace, shows=view.shows_service)
        shown = view.shown(found) if found is not None else None
        if shown is not None or not self._leads_to(host):
            return shown
        return snapshot.visible_service(host, self.namespace)

    def _leads_to(self, host: str) -> bool:
        """Whether a VirtualService that sidecars go by leads to a host, or it is the proxy for unknown services."""
        proxy = self.settings.egress_proxy
        return (proxy is not None and proxy[0] == host) or any(
            map(self.sees, self.snapshot.index.leading_to((host,)))
        )

    def concerned(self, changes: changes_.Changes) -> frozenset[str]:
        """The hosts under which there may be another service after changes; behind a Sidecar routes have a say."""
        if self.view is None:
            return changes.services
        return changes.services.union(*(rule.destination_hosts() for rule in changes.routings))

    def updated(self, snapshot: snapshots.MeshSnapshot, changes: changes_.Changes) -> Scope:
        """The same scope in a later snapshot."""
        moved = replace(self, snapshot=snapshot)
        found = {host: moved.see(host) for host in self.concerned(changes)}
        seen = {host: service for host, service in found.items() if service != self.services.get(host)}
        if not (seen or changes.rules):
            return moved
        difference = configs.Difference(
            tuple(self.services[host] for host in seen if host in self.services),
            tuple(service for service in seen.values() if service is not None),
        )
        return replace(
            moved,
            services=overlays.changed(self.services, seen),
            _policies={},
            _by_port=self._moved(difference),
        )

    def _moved(
        self, difference: configs.Difference[services_.Service]
    ) -> dict[int, tuple[services_.Service, ...]]:
        """The services of each port after some came and went; empty as long as nobody has asked for them."""
        if not self._by_port:
            return {}
        found = dict(self._by_port)
        for number in {n for s in (*difference.gone, *difference.come) for n in s.port_numbers}:
            here, _ = difference.apart(functools.partial(self._is_called_at, number))
            found[number] = configs.spliced(found.get(number, ()), here, key=attrgetter("hostname"))
        return found

    def _is_called_at(self, number: int, service: services_.Service) -> bool:
        view = self.view
        return number in service.port_numbers and (view is None or view.is_called_at(service, number))

    def looks_up_hosts(self, port: int = 0) -> bool:
        """Whether some service (of a port; 0 for any) is found by the name that is called, when it is."""
        return any(
            s.is_resolved_when_called for s in (self.services_on(port) if port else self.services.values())
        )

    def looked_up_port(self, cluster: str) -> int:
        """The port of an outbound cluster whose hosts are looked up when they are called; 0 for other clusters."""
        if not naming.is_outbound(cluster):
            return 0
        port, _, host = naming.parse_outbound(cluster)
        service = self.services.get(host)
        return port if service is not None and service.is_resolved_when_called else 0

    def routings_for(self, gateway: str) -> tuple[routing.Routing, ...]:
        """VirtualServices bound to a gateway (`NAMESPACE/NAME` or `mesh`) that the scope sees, in merge order."""
        found = self.snapshot.routings_for(gateway, self.namespace)
        return found if self.view is None else tuple(rule for rule in found if self.view.shows_rule(rule))

    def rule_for(self, host: str) -> routing.Routing | None:
        """The VirtualService that sidecars go by for a host."""
        return self.snapshot.index.find(host, self.sees, rank=lambda rule: rule.rank_in(self.namespace))

    def connection_rules_for(self, host: str) -> list[routing.Routing]:
        """
        The VirtualServices that sidecars go by for connections to a host: not only the most specific one, as for HTTP,
        but all, of which the first that has a route for a connection counts.
        """
        found = self.snapshot.index.find_all(host, self.sees, rank=lambda rule: rule.rank_in(self.namespace))
        return [rule for rule in found if rule.spec.tcp or rule.spec.tls]

    def sees(self, rule: routing.Routing) -> bool:
        """Whether sidecars of the scope go by a VirtualService."""
        is_bound = routing.MESH in rule.gateways and rule.is_visible_in(self.namespace)
        return is_bound and (self.view is None or self.view.shows_rule(rule))

    def policy_for(self, service: services_.Service) -> policies.HostPolicy:
        """The DestinationRules for one service, looked up once."""
        found = self._policies.get(service.hostname)
        if found is None:
            found = self.snapshot.policy_for(service, self.namespace, self.labels)
            self._policies[service.hostname] = found
        return found

    def peers_of(self, service: services_.Service, port: int) -> client_tls.Peers:
        """
        Who may answer for a service.

        The identities come from all pods behind it, ready or not, so that they do not change while pods restart.
        """
        settings, registry = self.snapshot.settings, self.snapshot.registry
        endpoints = registry.endpoints_of(service, port)
        selected = registry.workloads_behind(service)
        behind = [*selected, *(e.workload for e in endpoints if e.workload is not None)]
        ids = {
            naming.spiffe_id(domain, workload.namespace, workload.service_account)
            for workload in behind
            if workload.service_account
            for domain in settings.trust_domains
        }
        return client_tls.Peers(
            ids=tuple(sorted(ids)),
            all_speak_mtls=bool(endpoints) and all(map(self.snapshot.accepts_mtls, endpoints)),
        )

    def destination_cluster(
        self,
        rule: routing.Routing,
        destination: matching.Destination,
        *,
        listen_port: int,
        is_http: bool = False,
    ) -> str:
        """
        Name the cluster of a destination; it may not exist, then Envoy answers 503.

        Without a port the only port of the service counts, and for one with several the port that was called. HTTP
        routes of sidecars know the services of the called port alone, so there it is always that port.
        """
        host = rule.destination_host(destination)
        port = listen_port
        service = self.services.get(host)
        if destination.port is not None and destination.port.number:
            port = destination.port.number
        elif service is not None and len(service.ports) == 1 and (self.is_router or not is_http):
            port = service.ports[0].number
        return naming.outbound_cluster(host, port, destination.subset)

    def consistent_hash(
        self, rule: routing.Routing, destination: matching.Destination, *, listen_port: int
    ) -> load_balancers.ConsistentHash | None:
        service = self.services.get(rule.destination_host(destination))
        if service is None:
            return None
        port = destination.port.number if destination.port is not None else listen_port
        return self.service_hash(service, port, subset=destination.subset)

    def service_hash(
        self, service: services_.Service, port: int, *, subset: str = ""
    ) -> load_balancers.ConsistentHash | None:
        """The hash by which requests to a service port stick to an endpoint, if there is one."""
        policy = traffic_policies.effective_policy(self.policy_for(service), port=port, subset=subset)
        return policy.load_balancer.consistent_hash if policy.load_balancer is not None else None

    def tcp_options(self, cluster: str, *, is_split: bool = False) -> tcp_options_.TcpOptions:
        """
        How connections to an outbound cluster are made, or to several of which it is the first (`is_split`); nothing
        special when no rule is for it.
        """
        if not naming.is_outbound(cluster):
            return tcp_options_.NO_OPTIONS
        _, subset, host = naming.parse_outbound(cluster)
        service = self.services.get(host)
        if service is None:
            return tcp_options_.NO_OPTIONS
        return tcp_options_.options_for(self.policy_for(service), subset="" if is_split else subset)

    def originates_tls(self, cluster: str) -> bool:
        """Whether connections to an outbound cluster start TLS that is not the mesh's."""
        if not naming.is_outbound(cluster):
            return False
        port, subset, host = naming.parse_outbound(cluster)
        service = self.services.get(host)
        if service is None:
            return False
        policy = traffic_policies.effective_policy(self.policy_for(service), port=port, subset=subset)
        return client_tls.is_origination(policy.tls)


def build_scope(
    snapshot: snapshots.MeshSnapshot,
    *,
    namespace: str,
    is_router: bool,
    labels: Mapping[str, str],
    view: sidecars.View | None = None,
    caller: localities.Caller | None = None,
) -> Scope:
    """Put a scope together; with a view services are those it shows, and those its VirtualServices lead to."""
    settings = snapshot.settings
    if view is not None and view.outbound is not None:
        settings = replace(settings, outbound_traffic_policy=view.outbound)
    if view is not None and view.egress_proxy is not None:
        proxy = view.egress_proxy
        service = snapshot.visible_service(proxy.host, namespace)
        port = proxy.port.number if proxy.port is not None else _first_port(service)
        settings = replace(settings, egress_proxy=(proxy.host, port, proxy.subset))
    empty = Scope(
        snapshot=snapshot,
        namespace=namespace,
        is_router=is_router,
        labels=labels,
        services={},
        settings=settings,
        view=view,
        caller=caller or localities.Caller(),
    )
    found = ((host, empty.see(host)) for host in sorted(snapshot.registry.services))
    return replace(empty, services={host: service for host, service in found if service is not None})


def _first_port(service: services_.Service | None) -> int:
    """The port of a destination without one: the first of its service; 0 when there is none."""
    return service.ports[0].number if service is not None and service.ports else 0


def caller_for(snapshot: snapshots.MeshSnapshot, proxy: proxies.Proxy) -> localities.Caller:
    """
    Where a proxy is, as far as some rule or service asks for it, so that proxies that need not differ share all they
    get.
    """
    asked = {
        *snapshot.configs.facts(destination_rules.DestinationRule, _place_asked_for),
        *_asked_by_mesh(snapshot.settings),
        *([""] if snapshot.registry.choosy else []),
    }
    if not asked:
        return localities.Caller()
    return localities.Caller(
        proxy.workload.locality, {key: value for key, value in sorted(proxy.labels.items()) if key in asked}
    )


def _asked_by_mesh(settings: settings_.MeshSettings) -> Iterator[str]:
    """The labels of callers that the mesh's own setting asks for; "" when it asks where they are."""
    if settings.locality.distribute or settings.locality.failover_priority:
        yield ""
    yield from _labels_compared(settings.locality)


def _place_asked_for(config: parsing.Parsed) -> Iterator[str]:
    """The labels of callers that a rule asks for; "" when it asks where they are."""
    if not isinstance(config.spec, destination_rules.DestinationRule):
        return
    for level in config.spec.levels():
        setting = level.load_balancer.locality_lb_setting if level.load_balancer is not None else None
        if level.outlier_detection is not None or setting is not None:
            yield ""
        if setting is not None:
            yield from _labels_compared(setting)


def _labels_compared(setting: load_balancers.LocalityLoadBalancer) -> Iterator[str]:
    """The labels of callers that failover compares with those of endpoints; `KEY=VALUE` asks nothing of callers."""
    return (entry for entry in setting.failover_priority if "=" not in entry)


def relevant_labels(snapshot: snapshots.MeshSnapshot, labels: Mapping[str, str]) -> dict[str, str]:
    """Of a proxy's labels keep the ones that a route asks for by `sourceLabels`, or a rule by `workloadSelector`."""
    routed = snapshot.configs.facts(virtual_services.VirtualService, _labels_of_route)
    selected = snapshot.configs.facts(destination_rules.DestinationRule, _labels_of_rule)
    return {label: value for label, value in sorted(labels.items()) if label in routed or label in selected}


def _labels_of_route(config: parsing.Parsed) -> Iterable[str]:
    """Those that a VirtualService asks for, for itself or for whoever hands routes on to it."""
    if isinstance(config.spec, virtual_services.VirtualService):
        return _labels_asked_for(config.spec)
    return ()


def _labels_of_rule(config: parsing.Parsed) -> Iterable[str]:
    if isinstance(config.spec, destination_rules.DestinationRule) and config.spec.workload_selector:
        return config.spec.workload_selector.match_labels
    return ()


def _labels_asked_for(spec: virtual_services.VirtualService) -> Iterator[str]:
    for http in spec.http:
        for condition in http.match:
            yield from condition.source_labels
    for tls in spec.tls:
        for attributes in tls.match:
            yield from attributes.source_labels
    for tcp in spec.tcp:
        for connection in tcp.match:
            yield from connection.source_labels
