"""The snapshot itself, and how it is put together."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bookmesh.base.findings import Finding
from bookmesh.mesh.model import destination_rules, gateways, parsing, peer_authentications, sidecars
from bookmesh.mesh.model import envoy_filters as envoy_filter_models
from bookmesh.mesh.model import virtual_services as routes_
from bookmesh.mesh.registry import registry as registries
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import changes as changes_
from bookmesh.mesh.snapshot import configs as configs_
from bookmesh.mesh.snapshot import credentials as credentials_
from bookmesh.mesh.snapshot import delegates, envoy_filters, rivals, routing, visibility
from bookmesh.mesh.snapshot import gateways as gateways_
from bookmesh.mesh.snapshot import peer_authentications as peers_
from bookmesh.mesh.snapshot import policies as policies_
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import sidecars as sidecars_


@dataclass(frozen=True, slots=True, weakref_slot=True)
class MeshSnapshot:
    """
    All that one push is made from. Equal content gives equal snapshots.

    `configs` are the parsed objects, in merge order: oldest first, then by name and namespace; also those that could
    not be parsed. `routings` are the VirtualServices among them. `findings` are about the mesh's settings, and about
    objects that are no configs.
    """

    settings: settings_.MeshSettings
    registry: registries.Registry
    configs: configs_.Configs
    routings: tuple[routing.Routing, ...]
    policies: policies_.Policies
    peers: peers_.PeerPolicies = field(default_factory=peers_.PeerPolicies)
    credentials: credentials_.Credentials = field(default_factory=credentials_.Credentials)
    findings: tuple[Finding, ...] = ()
    index: routing.Index = field(default_factory=routing.Index, compare=False, repr=False)
    since: changes_.Since | None = field(default=None, compare=False, repr=False)

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
        found = (
            self.visible_service(host, namespace, is_router=is_router, shows=shows)
            for host in sorted(self.registry.services)
        )
        return tuple(service for service in found if service is not None)

    def visible_service(
        self,
        host: str,
        namespace: str,
        *,
        is_router: bool = False,
        shows: Callable[[services.Service], bool] = lambda _: True,
    ) -> services.Service | None:
        """The service that a namespace sees under a hostname, if it sees any."""
        default = self.settings.service_export_to
        seen = [
            service
            for service in self.registry.services_of(host)
            if visibility.is_visible(
                service.export_to, owner=service.namespace, namespace=namespace, default=default
            )
            and shows(service)
        ]
        if len(seen) > 1:
            return rivals.pick(seen, namespace=namespace, is_router=is_router, default=default)
        return seen[0] if seen else None

    def routings_for(self, gateway: str, namespace: str) -> tuple[routing.Routing, ...]:
        """
        VirtualServices bound to a gateway (`NAMESPACE/NAME` or `mesh`) that `namespace` sees: by rank there, then in
        merge order.
        """
        found = (r for r in self.index.bound_to(gateway) if r.is_visible_in(namespace))
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
        """What a Sidecar lets this proxy see; None when there is none for it, and it gets what is redirected."""
        settings = self.settings
        return sidecars_.view_for(
            proxy.namespace,
            proxy.labels,
            self.configs.of(sidecars.Sidecar),
            root_namespace=settings.root_namespace,
            domain=settings.domain,
            is_intercepted=proxy.is_intercepting,
        )

    def patches_for(self, proxy: proxies.Proxy) -> tuple[envoy_filters.Patch, ...]:
        """Changes that EnvoyFilters make to the configuration of this proxy, in order."""
        found = self.configs.of(envoy_filter_models.EnvoyFilter)
        return envoy_filters.patches_for(proxy, found, root_namespace=self.settings.root_namespace)

    def gateway_ports(self, proxy: proxies.Proxy) -> tuple[gateways_.GatewayPort, ...]:
        return gateways_.ports_for(proxy, self.configs.of(gateways.Gateway), self.registry)


def build(
    registry: registries.Registry,
    configs: Iterable[parsing.Parsed],
    settings: settings_.MeshSettings,
    credentials: credentials_.Credentials | None = None,
    findings: Sequence[Finding] = (),
    *,
    previous: MeshSnapshot | None = None,
) -> MeshSnapshot:
    """
    Put a snapshot together; the order of `configs` does not matter.

    What did not change since `previous` is the same object in the new one, and all of it is `previous` itself when
    nothing did. Secrets that nothing names do not count. It costs what changes if `configs` are a set that was made
    from the one of `previous`.
    """
    collected = configs_.collect(configs, previous.configs if previous is not None else None)
    known = previous if previous is not None and previous.settings == settings else None
    routings, index = _build_routings(collected, settings, known)
    built = MeshSnapshot(
        index=index,
        credentials=credentials or credentials_.Credentials(),
        findings=tuple(findings),
        settings=settings,
        registry=registry,
        configs=collected,
        routings=routings,
        policies=_build_policies(collected, settings, known),
        peers=_build_peers(collected, settings, known),
    )
    if previous is None:
        return built
    if _is_same(built, previous):
        return previous
    is_followed = known is not None and built.findings == previous.findings
    is_followed = is_followed and _has_same_credentials(built, previous)
    changes = changes_.between(previous, built) if is_followed else None
    return replace(built, since=changes_.Since(weakref.ref(previous), changes))


def _build_policies(
    configs: configs_.Configs, settings: settings_.MeshSettings, known: MeshSnapshot | None
) -> policies_.Policies:
    rules = configs.of(destination_rules.DestinationRule)
    if known is not None:
        changed = configs.since(known.configs).grouped(configs_.kind_of)
        return known.policies.replaced(changed.get(destination_rules.DestinationRule, configs_.Difference()))
    return policies_.build_policies(
        rules,
        root_namespace=settings.root_namespace,
        domain=settings.domain,
        default_export_to=settings.destination_rule_export_to,
    )


def _build_peers(
    configs: configs_.Configs, settings: settings_.MeshSettings, known: MeshSnapshot | None
) -> peers_.PeerPolicies:
    found = configs.of(peer_authentications.PeerAuthentication)
    if known is not None and found is known.configs.of(peer_authentications.PeerAuthentication):
        return known.peers
    return peers_.build_policies(found, settings)


def _build_routings(
    configs: configs_.Configs, settings: settings_.MeshSettings, known: MeshSnapshot | None
) -> tuple[tuple[routing.Routing, ...], routing.Index]:
    """The VirtualServices; those that are as before are taken over, unless some hand routes on to others."""
    found = configs.of(routes_.VirtualService)
    if known is not None and found is known.configs.of(routes_.VirtualService):
        return known.routings, known.index
    default = settings.virtual_service_export_to
    if known is None or delegates.is_delegating(configs) or delegates.is_delegating(known.configs):
        handed_on = delegates.delegates_in(found)
        routings = tuple(routing.build_routings(found, settings.domain, handed_on, default_export_to=default))
        return routings, routing.build_index(routings)
    changed = configs.since(known.configs)
    come = [parsed for parsed in changed.come if isinstance(parsed.spec, routes_.VirtualService)]
    gone = [parsed for parsed in changed.gone if isinstance(parsed.spec, routes_.VirtualService)]
    difference = configs_.Difference(
        tuple(routing.made_from(parsed, known.routings) for parsed in gone),
        tuple(routing.build_routings(come, settings.domain, {}, default_export_to=default)),
    )
    routings = configs_.spliced(known.routings, difference, key=routing.order_of)
    return routings, known.index.replaced(difference, routings)


def _is_same(one: MeshSnapshot, other: MeshSnapshot) -> bool:
    return (
        one.registry == other.registry
        and one.configs == other.configs
        and one.settings == other.settings
        and one.findings == other.findings
        and _has_same_credentials(one, other)
    )


def _has_same_credentials(one: MeshSnapshot, other: MeshSnapshot) -> bool:
    """Whether the Secrets are the same that two snapshots of the same configuration name."""
    if one.credentials is other.credentials:
        return True
    return one.credentials.named(credential_names(one.configs)) == other.credentials.named(
        credential_names(other.configs)
    )


def gateways_in(configs: configs_.Configs) -> Mapping[str, tuple[parsing.Parsed, gateways.Gateway]]:
    """Gateways by `NAMESPACE/NAME`, in merge order."""
    return configs.derive(gateways.Gateway, _gateways_by_name)


def _gateways_by_name(
    found: tuple[parsing.Parsed, ...],
) -> Mapping[str, tuple[parsing.Parsed, gateways.Gateway]]:
    return {
        f"{parsed.metadata.namespace}/{parsed.metadata.name}": (parsed, parsed.spec)
        for parsed in found
        if isinstance(parsed.spec, gateways.Gateway)
    }


def credential_names(configs: configs_.Configs, namespace: str | None = None) -> set[str]:
    """
    The Secrets that Gateways and DestinationRules name; which namespace counts is that of the proxy.

    With `namespace` those are left out that proxies there have no business with: Secrets that say themselves where
    they are, and that only Gateways of other namespaces name.
    """
    names = rule_credentials(configs)
    for where, name in configs.facts(gateways.Gateway, _named_by_gateway):
        if namespace in (None, where) or not credentials_.is_reference(name):
            names.add(name)
    return names - {""}


def rule_credentials(configs: configs_.Configs) -> set[str]:
    """The Secrets that DestinationRules name."""
    return set(configs.facts(destination_rules.DestinationRule, _named_by_rule)) - {""}


def _named_by_rule(parsed: parsing.Parsed) -> Iterator[str]:
    if isinstance(parsed.spec, destination_rules.DestinationRule):
        yield from (level.tls.credential_name for level in parsed.spec.levels() if level.tls is not None)


def _named_by_gateway(parsed: parsing.Parsed) -> Iterator[tuple[str, str]]:
    """Yield (namespace of the Gateway, secret)."""
    if isinstance(parsed.spec, gateways.Gateway):
        for server in parsed.spec.servers:
            if server.tls is not None:
                for name in (*server.tls.credentials, server.tls.ca_cert_credential_name):
                    yield parsed.metadata.namespace, name
