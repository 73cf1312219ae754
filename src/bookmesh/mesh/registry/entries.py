"""ServiceEntries as services: one for every host, with endpoints that people wrote down or that labels select."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from bookmesh.mesh.model import parsing, service_entries
from bookmesh.mesh.registry import endpoints, protocols, services, workloads

_NONE: Final = "NONE"


def build_services(entry: parsing.Parsed) -> list[services.Service]:
    """
    Read one ServiceEntry; () when it could not be parsed. Without a resolution endpoints that are there count as
    STATIC, and without those connections go wherever they wanted to.
    """
    spec = entry.spec
    if not isinstance(spec, service_entries.ServiceEntry):
        return []
    resolution = resolution_of(spec)
    return [
        services.Service(
            hostname=host.lower(),
            name=host.lower(),
            namespace=entry.metadata.namespace,
            address=spec.addresses[0] if spec.addresses else "",
            more_addresses=spec.addresses[1:],
            ports=tuple(_build_port(port) for port in spec.ports),
            export_to=spec.export_to or ("*",),
            labels=entry.metadata.labels,
            resolution=resolution,
            is_external=spec.location != "MESH_INTERNAL",
            subject_alt_names=spec.subject_alt_names,
            entry=entry.ref,
        )
        for host in spec.hosts
    ]


def resolution_of(spec: service_entries.ServiceEntry) -> services.Resolution:
    if spec.resolution is not None:
        return "DNS" if spec.resolution == "DYNAMIC_DNS" else spec.resolution
    return "NONE"


def build_endpoints(
    entry: parsing.Parsed, by_ip: Mapping[str, workloads.Workload]
) -> Iterable[tuple[tuple[str, int], tuple[endpoints.Endpoint, ...]]]:
    """
    Yield ((host, port), endpoints) of one ServiceEntry, in the order of its YAML.

    With DNS the address of an endpoint is a name; without endpoints it is that of the service. With NONE there are
    none.
    """
    spec = entry.spec
    if not isinstance(spec, service_entries.ServiceEntry) or resolution_of(spec) == _NONE:
        return
    for host in spec.hosts:
        for port in spec.ports:
            found = [_endpoint(one, port, by_ip) for one in spec.endpoints if one.address]
            if spec.workload_selector is not None:
                found += _selected(spec.workload_selector.labels, port, entry.metadata.namespace, by_ip)
            elif not spec.endpoints and resolution_of(spec) != "STATIC" and not host.startswith("*"):
                found = [endpoints.Endpoint(host.lower(), port.target_port or port.number)]
            if found:
                yield (host.lower(), port.number), tuple(found)


def _endpoint(
    one: service_entries.EntryEndpoint,
    port: service_entries.EntryPort,
    by_ip: Mapping[str, workloads.Workload],
) -> endpoints.Endpoint:
    number = one.ports.get(port.name) or port.target_port or port.number
    where = workloads.parse_locality(one.locality)
    return endpoints.Endpoint(
        one.address,
        number,
        by_ip.get(one.address),
        own_labels=one.labels,
        own_locality=where if one.locality else None,
        weight=one.weight or 1,
    )


def _selected(
    labels: Mapping[str, str],
    port: service_entries.EntryPort,
    namespace: str,
    by_ip: Mapping[str, workloads.Workload],
) -> list[endpoints.Endpoint]:
    """Pods of the entry's namespace; they count as they run, without regard to their readiness."""
    return [
        endpoints.Endpoint(workload.ip, port.target_port or port.number, workload)
        for workload in by_ip.values()
        if workload.namespace == namespace and labels.items() <= workload.labels.items()
    ]


def _build_port(port: service_entries.EntryPort) -> services.ServicePort:
    declared = port.protocol or None
    return services.ServicePort(
        name=port.name,
        number=port.number,
        protocol=protocols.protocol_for(name=port.name, app_protocol=declared, number=port.number),
        target=port.target_port or port.number,
    )
