"""What a conversion looks at, and how it finds things there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import base, parsing, service_entries
from bookmesh.mesh.model.gateway_api.references import GROUP
from bookmesh.mesh.registry import registry, services
from bookmesh.mesh.snapshot import credentials

T = TypeVar("T", bound=base.Model)


@dataclass(frozen=True, slots=True)
class Inputs:
    """
    `objects` are parsed objects of the Gateway API, and `configs` ServiceEntries of Istio, both in order of age.

    `external_addresses` are those of load balancers, by (namespace, name) of Services of that type, () while one has
    none. `config_maps` are their data by (namespace, name), `class_defaults` those for GatewayClasses by their name.
    """

    objects: tuple[parsing.Parsed, ...]
    registry: registry.Registry
    credentials: credentials.Credentials = field(default_factory=credentials.Credentials)
    configs: tuple[parsing.Parsed, ...] = ()
    external_addresses: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    config_maps: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    class_defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    domain: str = "cluster.local"

    def of(self, spec: type[T]) -> Iterator[tuple[parsing.Parsed, T]]:
        """Objects of one kind that could be parsed, in order of age."""
        return ((parsed, parsed.spec) for parsed in self.objects if isinstance(parsed.spec, spec))

    def service(self, namespace: str, name: str) -> services.Service | None:
        """A Service of Kubernetes."""
        found = self.registry.services.get(self.hostname(namespace, name))
        return found if found is not None and found.entry is None else None

    def hostname(self, namespace: str, name: str) -> str:
        return f"{name}.{namespace}.svc.{self.domain}"

    def service_entry(self, namespace: str, name: str) -> service_entries.ServiceEntry | None:
        for parsed in self.configs:
            spec = parsed.spec
            if isinstance(spec, service_entries.ServiceEntry) and (
                (parsed.metadata.namespace, parsed.metadata.name) == (namespace, name)
            ):
                return spec
        return None


def is_of_gateway_api(parsed: parsing.Parsed) -> bool:
    """Whether it is an object of the Gateway API, and no derived one."""
    return parsed.api.startswith(f"{GROUP}/")


def age(parsed: parsing.Parsed) -> tuple[str, str, str]:
    """Oldest first, then by namespace and name: in this order objects win over each other."""
    metadata = parsed.metadata
    return metadata.creation_timestamp, metadata.namespace, metadata.name


def external_addresses(service: JsonObject) -> tuple[str, ...] | None:
    """Read the addresses of a load balancer from its Service; None when it is no load balancer."""
    if service.get("spec", {}).get("type") != "LoadBalancer":
        return None
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    addresses = (each.get("ip") or each.get("hostname") or "" for each in ingress)
    return tuple(filter(None, addresses))
