"""The snapshot itself, and how it is put together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from bookmesh.base.findings import Finding
from bookmesh.mesh.model import destination_rules, gateways, parsing, virtual_services
from bookmesh.mesh.registry import registry as registries
from bookmesh.mesh.registry import services
from bookmesh.mesh.snapshot import credentials as credentials_
from bookmesh.mesh.snapshot import delegates, hosts, routing
from bookmesh.mesh.snapshot import gateways as gateways_
from bookmesh.mesh.snapshot import policies as policies_
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import sidecars as sidecars_

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class MeshSnapshot:
    """
    All that one push is made from. The same input gives the same `id`.

    `configs` are the parsed objects in merge order: oldest first, then by name and namespace; also those that could
    not be parsed. `routings` are the VirtualServices among them. `findings` are about the mesh's settings.
    """

    id: str
    settings: settings_.MeshSettings
    registry: registries.Registry
    configs: tuple[parsing.Parsed, ...]
    routings: tuple[routing.Routing, ...]
    policies: policies_.Policies
    credentials: credentials_.Credentials = field(default_factory=credentials_.Credentials)
    findings: tuple[Finding, ...] = ()

    def services_visible_in(self, namespace: str) -> tuple[services.Service, ...]:
        """Services in hostname order."""
        return tuple(s for s in self.registry.services.values() if s.is_visible_in(namespace))

    def routings_for(self, gateway: str, namespace: str) -> tuple[routing.Routing, ...]:
        """VirtualServices bound to a gateway (`NAMESPACE/NAME` or `mesh`) that `namespace` sees, in merge order."""
        return tuple(r for r in self.routings if gateway in r.gateways and r.is_visible_in(namespace))

    def policy_for(self, service: services.Service, client_namespace: str) -> policies_.HostPolicy:
        return self.policies.policy_for(
            service.hostname, client_namespace=client_namespace, service_namespace=service.namespace
        )

    def view_for(self, proxy: proxies.Proxy) -> sidecars_.View | None:
        """What a Sidecar lets this proxy see; None when there is none for it."""
        root = self.settings.root_namespace
        return sidecars_.view_for(proxy.namespace, proxy.labels, self.configs, root_namespace=root)

    def gateway_ports(self, proxy: proxies.Proxy) -> tuple[gateways_.GatewayPort, ...]:
        return gateways_.ports_for(proxy, self.configs, self.registry)


def routing_for(host: str, routings: Sequence[routing.Routing]) -> routing.Routing | None:
    """Of several VirtualServices pick the one for a host: the most specific, then the first in merge order."""
    best = hosts.most_specific((pattern for r in routings for pattern in r.hosts), host)
    return None if best is None else next(r for r in routings if best in r.hosts)


def build(
    registry: registries.Registry,
    configs: Sequence[parsing.Parsed],
    settings: settings_.MeshSettings,
    credentials: credentials_.Credentials | None = None,
    findings: Sequence[Finding] = (),
) -> MeshSnapshot:
    """Put a snapshot together; the order of `configs` does not matter."""
    ordered = tuple(sorted(configs, key=_merge_order))
    credentials = credentials or credentials_.Credentials()
    handed_on = delegates.delegates_in(ordered)
    return MeshSnapshot(
        id=_content_id(registry, ordered, settings, credentials.named(credential_names(ordered)), findings),
        credentials=credentials,
        findings=tuple(findings),
        settings=settings,
        registry=registry,
        configs=ordered,
        routings=tuple(
            found
            for parsed in ordered
            if isinstance(parsed.spec, virtual_services.VirtualService) and parsed.spec.hosts
            for found in (routing.build_routing(parsed, parsed.spec, settings.domain, handed_on),)
            if found is not None
        ),
        policies=policies_.build_policies(
            (p for p in ordered if isinstance(p.spec, destination_rules.DestinationRule)),
            root_namespace=settings.root_namespace,
            domain=settings.domain,
        ),
    )


def gateways_in(configs: Sequence[parsing.Parsed]) -> dict[str, tuple[parsing.Parsed, gateways.Gateway]]:
    """Gateways by `NAMESPACE/NAME`, in merge order."""
    return {
        f"{parsed.metadata.namespace}/{parsed.metadata.name}": (parsed, parsed.spec)
        for parsed in configs
        if isinstance(parsed.spec, gateways.Gateway)
    }


def credential_names(configs: Sequence[parsing.Parsed]) -> set[str]:
    """The Secrets that Gateways and DestinationRules name; which namespace counts is that of the proxy."""
    names: set[str] = set()
    for parsed in configs:
        spec = parsed.spec
        if isinstance(spec, gateways.Gateway):
            for server in spec.servers:
                if server.tls is not None:
                    names.update(server.tls.credentials)
                    names.add(server.tls.ca_cert_credential_name)
        elif isinstance(spec, destination_rules.DestinationRule):
            names.update(level.tls.credential_name for level in spec.levels() if level.tls is not None)
    return names - {""}


def _merge_order(parsed: parsing.Parsed) -> tuple[str, str, str]:
    metadata = parsed.metadata
    return metadata.creation_timestamp, metadata.name, metadata.namespace


def _content_id(
    registry: registries.Registry,
    configs: Sequence[parsing.Parsed],
    settings: settings_.MeshSettings,
    credentials: Sequence[credentials_.Credential],
    findings: Sequence[Finding],
) -> str:
    content = [
        settings,
        credentials,
        [finding.message for finding in findings],
        list(registry.services.values()),
        list(registry.endpoints.items()),
        registry.workloads,
        registry.namespaces,
        sorted(parsed.digest for parsed in configs),
    ]
    return hashlib.blake2b(_ENCODER.encode(content), digest_size=8).hexdigest()
