"""The whole registry, built anew from the lists of a Kubernetes API at each push."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import parsing, service_entries
from bookmesh.mesh.registry import entries as entries_
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.registry import workloads as workloads_
from bookmesh.mesh.registry.endpoints import Endpoint

__all__ = ["Endpoint", "Registry", "build"]

_SERVICE_LABEL: Final = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Registry:
    """
    `services` by hostname, in hostname order; `endpoints` by (hostname, port number), ready ones only, in address
    order, no entry when there are none; `workloads` by pod IP; `namespaces` name to labels.
    """

    services: Mapping[str, services_.Service] = field(default_factory=dict)
    endpoints: Mapping[tuple[str, int], tuple[Endpoint, ...]] = field(default_factory=dict)
    workloads: Mapping[str, workloads_.Workload] = field(default_factory=dict)
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def endpoints_of(self, hostname: str, port: int) -> tuple[Endpoint, ...]:
        return self.endpoints.get((hostname, port), ())


def build(
    services: Iterable[JsonObject],
    endpoint_slices: Iterable[JsonObject],
    pods: Iterable[JsonObject],
    namespaces: Iterable[JsonObject],
    *,
    configs: Iterable[parsing.Parsed] = (),
    domain: str = "cluster.local",
) -> Registry:
    """
    Build the registry; the order of the input does not matter. Of `configs` the ServiceEntries count.

    A Service of Kubernetes wins over a ServiceEntry of the same name, and of two ServiceEntries the older one.
    """
    by_host = {s.hostname: s for s in (services_.build_service(o, domain=domain) for o in services)}
    by_ip = {w.ip: w for w in (workloads_.build_workload(pod) for pod in pods if _is_running(pod)) if w.ip}
    endpoints = _build_endpoints(by_host, endpoint_slices, by_ip, domain)
    for entry in sorted((c for c in configs if isinstance(c.spec, service_entries.ServiceEntry)), key=_age):
        added = [service for service in entries_.build_services(entry) if service.hostname not in by_host]
        by_host |= {service.hostname: service for service in added}
        own = {service.hostname for service in added}
        endpoints |= {key: found for key, found in entries_.build_endpoints(entry, by_ip) if key[0] in own}
    return Registry(
        services=dict(sorted(by_host.items())),
        endpoints=dict(sorted(endpoints.items())),
        workloads=dict(sorted(by_ip.items())),
        namespaces={o["metadata"]["name"]: o["metadata"].get("labels") or {} for o in namespaces},
    )


def _age(entry: parsing.Parsed) -> tuple[str, str, str]:
    metadata = entry.metadata
    return metadata.creation_timestamp, metadata.name, metadata.namespace


def _is_running(pod: JsonObject) -> bool:
    """A finished pod's address may belong to another one already."""
    return pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def _build_endpoints(
    services: Mapping[str, services_.Service],
    endpoint_slices: Iterable[JsonObject],
    by_ip: Mapping[str, workloads_.Workload],
    domain: str,
) -> dict[tuple[str, int], tuple[Endpoint, ...]]:
    found: defaultdict[tuple[str, int], set[tuple[str, int]]] = defaultdict(set)
    for endpoint_slice in endpoint_slices:
        metadata = endpoint_slice["metadata"]
        name = (metadata.get("labels") or {}).get(_SERVICE_LABEL)
        service = services.get(f"{name}.{metadata.get('namespace', 'default')}.svc.{domain}")
        if service is None:
            continue
        addresses = _ready_addresses(endpoint_slice)
        for port in endpoint_slice.get("ports") or ():
            for service_port in service.ports:
                if service_port.name == (port.get("name") or "") and port.get("port"):
                    key = (service.hostname, service_port.number)
                    found[key].update((address, port["port"]) for address in addresses)
    return {
        key: tuple(Endpoint(ip, port, by_ip.get(ip)) for ip, port in sorted(found[key], key=_address_order))
        for key in sorted(found)
        if found[key]
    }


def _ready_addresses(endpoint_slice: JsonObject) -> list[str]:
    """`conditions.ready` counts as true when it is absent."""
    return [
        address
        for endpoint in endpoint_slice.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint.get("addresses") or ()
    ]


def _address_order(endpoint: tuple[str, int]) -> tuple[list[int], str, int]:
    """Dotted addresses by number, so that 10.244.0.9 comes before 10.244.0.10."""
    ip, port = endpoint
    return [int(part) for part in ip.split(".") if part.isdigit()], ip, port
