"""Which Sidecar is in force for a workload, and what it lets its proxy see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import destination_rules, matching, parsing, sidecars
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import hosts, routing, settings


@dataclass(frozen=True, slots=True)
class View:
    """
    What one Sidecar lets a proxy see. `entries` are (namespace, host pattern), of which None means everything;
    namespaces are names, `*` or `~`. `egress_proxy` takes what goes to services nobody knows; its host is fully
    qualified. `inbound_pool` limits connections to the application; `inbound` are the ports on which it is called, in
    place of those that Services name.
    """

    ref: ObjectRef
    digest: str
    entries: tuple[tuple[str, str], ...] | None
    outbound: settings.OutboundTrafficPolicy | None
    egress_proxy: matching.Destination | None = None
    inbound_pool: destination_rules.ConnectionPool | None = None
    inbound: tuple[sidecars.IngressListener, ...] = ()

    def shows_service(self, service: services.Service) -> bool:
        return self._shows(service.namespace, (service.hostname,))

    def shows_rule(self, rule: routing.Routing) -> bool:
        return self._shows(rule.ref.namespace, rule.hosts)

    def _shows(self, namespace: str, names: Iterable[str]) -> bool:
        if self.entries is None:
            return True
        found = [pattern for where, pattern in self.entries if where in ("*", namespace)]
        return any(hosts.matches(pattern, name) for pattern in found for name in names)


def view_for(
    namespace: str,
    labels: Mapping[str, str],
    configs: Iterable[parsing.Parsed],
    *,
    root_namespace: str,
    domain: str = "cluster.local",
) -> View | None:
    """
    Find the Sidecar in force; None when there is none.

    One that selects the workload wins over that of the whole namespace, and this over that of the root namespace; of
    equal ones the oldest counts.
    """
    ranked: dict[int, parsing.Parsed] = {}
    for parsed in configs:
        if not isinstance(parsed.spec, sidecars.Sidecar):
            continue
        selector = parsed.spec.workload_selector
        if selector is not None and selector.labels:
            if parsed.metadata.namespace == namespace and selector.labels.items() <= labels.items():
                ranked.setdefault(0, parsed)
        elif parsed.metadata.namespace == namespace:
            ranked.setdefault(1, parsed)
        elif parsed.metadata.namespace == root_namespace:
            ranked.setdefault(2, parsed)
    return _build_view(ranked[min(ranked)], namespace, domain) if ranked else None


def _build_view(parsed: parsing.Parsed, namespace: str, domain: str) -> View | None:
    spec = parsed.spec
    if not isinstance(spec, sidecars.Sidecar):
        return None
    entries: list[tuple[str, str]] = []
    for listener in spec.egress:
        for entry in listener.hosts:
            where, _, pattern = entry.partition("/")
            entries.append((namespace if where == "." else where, pattern))
    policy = spec.outbound_traffic_policy
    proxy = policy.egress_proxy if policy is not None else None
    if proxy is not None:
        host = hosts.qualified(proxy.host, parsed.metadata.namespace, domain)
        proxy = msgspec.structs.replace(proxy, host=host)
    return View(
        ref=parsed.ref,
        digest=parsed.digest,
        entries=tuple(entries) if spec.egress else None,
        outbound=policy.mode if policy is not None else None,
        egress_proxy=proxy,
        inbound_pool=spec.inbound_connection_pool,
        inbound=spec.ingress,
    )
