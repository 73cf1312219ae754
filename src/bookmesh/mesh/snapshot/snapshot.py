"""The snapshot itself, and how it is put together."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from typing import TypeVar, cast

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.mesh.model import destination_rules, gateways, parsing, sidecars, virtual_services
from bookmesh.mesh.model import envoy_filters as envoy_filter_models
from bookmesh.mesh.registry import registry as registries
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import changes as changes_
from bookmesh.mesh.snapshot import credentials as credentials_
from bookmesh.mesh.snapshot import delegates, envoy_filters, rivals, routing, visibility
from bookmesh.mesh.snapshot import gateways as gateways_
from bookmesh.mesh.snapshot import peer_authentications as peers_
from bookmesh.mesh.snapshot import policies as policies_
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import sidecars as sidecars_

T = TypeVar("T")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class MeshSnapshot:
    """
    All that one push is made from. Equal content gives equal snapshots.

    `configs` are the parsed objects in merge order: oldest first, then by name and namespace; also those that could
    not be parsed. `routings` are the VirtualServices among them. `findings` are about the mesh's settings, and about
    objects that are no configs.
    """

    settings: settings_.MeshSettings
    registry: registries.Registry
    configs: tuple[parsing.Parsed, ...]
    routings: tuple[routing.Routing, ...]
    policies: policies_.Policies
    peers: peers_.PeerPolicies = field(default_factory=peers_.PeerPolicies)
    credentials: credentials_.Credentials = field(default_factory=credentials_.Credentials)
    findings: tuple[Finding, ...] = ()
    index: routing.Index = field(default_factory=routing.Index, compare=False, repr=False)
    since: changes_.Since | None = field(default=None, compare=False, repr=False)
    _derived: dict[Callable[[MeshSnapshot], object], object] = field(
        default_factory=dict, compare=False, repr=False
    )

    def derive(self, find: Callable[[MeshSnapshot], T]) -> T:
        """
        What `find` finds in `configs` and `routings`, looked up once. It may look at nothing else of the snapshot: the
        next one has the same as long as these stay.
        """
        if find not in self._derived:
            self._derived[find] = find(self)
        return cast(T, self._derived[find])

    def changes_since(self, before: MeshSnapshot) -> changes_.Changes | None:
        """What differs from an earlier snapshot; None when that is not known, or anything may differ."""
        if before is self:
            return changes_.Changes()
        return self.since.changes if self.since is not None and self.since.previous() is before else None

    def services_visible_in(
        self,
        namespace: str,
        *,
        is_router: bool = False,
        shows: Callable[[services.Service], bool] = lambda _: True,
    ) -> tuple[services.Service, ...]:
        """Services in hostname order, one for each host. A Sidecar leaves those out that it does not show."""
        default = self.settings.service_export_to
        found: list[services.Service] = []
        for host in self.registry.services:
            seen = [
                service
                for service in self.registry.services_of(host)
                if visibility.is_visible(
                    service.export_to, owner=service.namespace, namespace=namespace, default=default
                )
                and shows(service)
            ]
            if len(seen) > 1:
                seen = [rivals.pick(seen, namespace=namespace, is_router=is_router, default=default)]
            found += seen
        return tuple(found)

    def routings_for(self, gateway: str, namespace: str) -> tuple[routing.Routing, ...]:
        """
        VirtualServices bound to a gateway (`NAMESPACE/NAME` or `mesh`) that `namespace` sees: by rank there, then in
        merge order.
        """
        found = (r for r in self.routings if gateway in r.gateways and r.is_visible_in(namespace))
        return tuple(sorted(found, key=lambda rule: rule.rank_in(namespace)))

    def policy_for(
        self,
        service: services.Service,
        client_namespace: str,
        client_labels: Mapping[str, str] | None = None,
    ) -> policies_.HostPolicy:
        """The DestinationRules for a service; without labels also those that are for some clients only."""
        return self.policies.policy_for(
            service.hostname,
            client_namespace=client_namespace,
            service_namespace=service.namespace,
            client_labels=client_labels,
        )

    def accepts_mtls(self, endpoint: registries.Endpoint) -> bool:
        """Whether clients that may choose should use the mesh's mTLS towards an endpoint."""
        workload = endpoint.workload
        if workload is None or not endpoint.speaks_mtls:
            return False
        return self.peers.modes_for(workload.namespace, workload.labels).of(endpoint.port) != "DISABLE"

    def view_for(self, proxy: proxies.Proxy) -> sidecars_.View | None:
        """What a Sidecar lets this proxy see; None when there is none for it."""
        settings = self.settings
        return sidecars_.view_for(
            proxy.namespace,
            proxy.labels,
            self.derive(_sidecars_in),
            root_namespace=settings.root_namespace,
            domain=settings.domain,
        )

    def patches_for(self, proxy: proxies.Proxy) -> tuple[envoy_filters.Patch, ...]:
        """Changes that EnvoyFilters make to the configuration of this proxy, in order."""
        found = self.derive(_envoy_filters_in)
        return envoy_filters.patches_for(proxy, found, root_namespace=self.settings.root_namespace)

    def gateway_ports(self, proxy: proxies.Proxy) -> tuple[gateways_.GatewayPort, ...]:
        return gateways_.ports_for(proxy, self.configs, self.registry)


def _sidecars_in(snapshot: MeshSnapshot) -> tuple[parsing.Parsed, ...]:
    return tuple(parsed for parsed in snapshot.configs if isinstance(parsed.spec, sidecars.Sidecar))


def _envoy_filters_in(snapshot: MeshSnapshot) -> tuple[parsing.Parsed, ...]:
    return tuple(
        parsed for parsed in snapshot.configs if isinstance(parsed.spec, envoy_filter_models.EnvoyFilter)
    )


def build(
    registry: registries.Registry,
    configs: Sequence[parsing.Parsed],
    settings: settings_.MeshSettings,
    credentials: credentials_.Credentials | None = None,
    findings: Sequence[Finding] = (),
    *,
    previous: MeshSnapshot | None = None,
) -> MeshSnapshot:
    """
    Put a snapshot together; the order of `configs` does not matter.

    What did not change since `previous` is the same object in the new one, and all of it is `previous` itself when
    nothing did. Secrets that nothing names do not count.
    """
    ordered = tuple(sorted(configs, key=merge_order))
    credentials = credentials or credentials_.Credentials()
    routings = _build_routings(ordered, settings, previous)
    rules = tuple(p for p in ordered if isinstance(p.spec, destination_rules.DestinationRule))
    if previous is not None and rules == previous.policies.ordered and settings == previous.settings:
        policies = previous.policies
    else:
        policies = policies_.build_policies(
            rules,
            root_namespace=settings.root_namespace,
            domain=settings.domain,
            default_export_to=settings.destination_rule_export_to,
        )
    if previous is not None and ordered == previous.configs:
        ordered = previous.configs
    is_configured_alike = (
        previous is not None and ordered is previous.configs and routings is previous.routings
    )
    built = MeshSnapshot(
        index=previous.index
        if previous is not None and routings is previous.routings
        else routing.build_index(routings),
        _derived=previous._derived if previous is not None and is_configured_alike else {},
        credentials=credentials,
        findings=tuple(findings),
        settings=settings,
        registry=registry,
        configs=ordered,
        routings=routings,
        policies=policies,
        peers=peers_.build_policies(ordered, settings),
    )
    if previous is None:
        return built
    if _is_same(built, previous):
        return previous
    return replace(built, since=changes_.Since(weakref.ref(previous), _changes(previous, built)))


def _changes(before: MeshSnapshot, after: MeshSnapshot) -> changes_.Changes | None:
    """Compare two snapshots: endpoints and VirtualServices may differ, but nothing else."""
    registry, other = after.registry, before.registry
    if (
        registry.services is not other.services
        or registry.rivals is not other.rivals
        or registry.namespaces is not other.namespaces
        or after.settings != before.settings
        or after.policies is not before.policies
        or after.peers != before.peers
        or after.findings != before.findings
        or _named_credentials(after) != _named_credentials(before)
    ):
        return None
    configs = changes_.differing(before.configs, after.configs)
    is_delegating = delegates.delegates_in(before.configs) or delegates.delegates_in(after.configs)
    if is_delegating or any(not isinstance(c.spec, virtual_services.VirtualService) for c in configs):
        return None
    hosts = {host for host, _, _ in changes_.differing_keys(other.endpoints, registry.endpoints)}
    hosts |= changes_.differing_keys(other.behind, registry.behind)
    return changes_.Changes(frozenset(hosts), changes_.differing(before.routings, after.routings))


def _build_routings(
    configs: Sequence[parsing.Parsed], settings: settings_.MeshSettings, previous: MeshSnapshot | None
) -> tuple[routing.Routing, ...]:
    """The VirtualServices; those that are as before, and have nothing to do with delegates, are taken over."""
    handed_on = delegates.delegates_in(tuple(configs))
    known: dict[ObjectRef, routing.Routing] = {}
    if previous is not None and not handed_on and settings == previous.settings:
        known = {rule.ref: rule for rule in previous.routings}
    found: list[routing.Routing] = []
    for parsed in configs:
        if not isinstance(parsed.spec, virtual_services.VirtualService) or not parsed.spec.hosts:
            continue
        before = known.get(parsed.ref)
        rule = (
            before
            if before is not None and before.digest == parsed.digest
            else routing.build_routing(
                parsed,
                parsed.spec,
                settings.domain,
                handed_on,
                default_export_to=settings.virtual_service_export_to,
            )
        )
        if rule is not None:
            found.append(rule)
    if (
        previous is not None
        and len(found) == len(previous.routings)
        and all(map(is_, found, previous.routings))
    ):
        return previous.routings
    return tuple(found)


def _is_same(one: MeshSnapshot, other: MeshSnapshot) -> bool:
    return (
        one.registry == other.registry
        and one.configs == other.configs
        and one.settings == other.settings
        and one.findings == other.findings
        and _named_credentials(one) == _named_credentials(other)
    )


def _named_credentials(snapshot: MeshSnapshot) -> list[credentials_.Credential]:
    return snapshot.credentials.named(snapshot.derive(_credential_names))


def _credential_names(snapshot: MeshSnapshot) -> set[str]:
    return credential_names(snapshot.configs)


def gateways_in(configs: Sequence[parsing.Parsed]) -> dict[str, tuple[parsing.Parsed, gateways.Gateway]]:
    """Gateways by `NAMESPACE/NAME`, in merge order."""
    return {
        f"{parsed.metadata.namespace}/{parsed.metadata.name}": (parsed, parsed.spec)
        for parsed in configs
        if isinstance(parsed.spec, gateways.Gateway)
    }


def credential_names(configs: Sequence[parsing.Parsed], namespace: str | None = None) -> set[str]:
    """
    The Secrets that Gateways and DestinationRules name; which namespace counts is that of the proxy.

    With `namespace` those are left out that proxies there have no business with: Secrets that say themselves where
    they are, and that only Gateways of other namespaces name.
    """
    names: set[str] = set()
    for parsed in configs:
        spec = parsed.spec
        if isinstance(spec, gateways.Gateway):
            for server in spec.servers:
                if server.tls is not None:
                    named = {*server.tls.credentials, server.tls.ca_cert_credential_name}
                    is_near = namespace in (None, parsed.metadata.namespace)
                    names |= {name for name in named if is_near or not credentials_.is_reference(name)}
        elif isinstance(spec, destination_rules.DestinationRule):
            names.update(level.tls.credential_name for level in spec.levels() if level.tls is not None)
    return names - {""}


def merge_order(parsed: parsing.Parsed) -> tuple[str, str, str, str]:
    """Oldest first, then by name and namespace; different for any two objects."""
    metadata = parsed.metadata
    return metadata.creation_timestamp, metadata.name, metadata.namespace, parsed.ref.kind
