"""ServiceEntries as services: one for every host, with endpoints that people wrote down or that labels select."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final

from bookmesh.mesh.model import parsing, service_entries, workload_entries
from bookmesh.mesh.registry import endpoints, protocols, services, workloads

_WITHOUT_ENDPOINTS: Final = ("NONE", "DYNAMIC_DNS")


def build_services(entry: parsing.Parsed) -> list[services.Service]:
    """
    Read one ServiceEntry; () when it could not be parsed. Without a resolution endpoints that are there count as
    STATIC, and without those connections go wherever they wanted to.
    """
    spec = entry.spec
    if not isinstance(spec, service_entries.ServiceEntry):
        return []
    resolution = resolution_of(spec)
    addresses = _each_once(spec.addresses)
    return [
        services.Service(
            hostname=host.lower(),
            name=host.lower(),
            namespace=entry.metadata.namespace,
            address=addresses[0] if addresses else "",
            more_addresses=addresses[1:],
            ports=tuple(_build_port(port) for port in spec.ports),
            export_to=spec.export_to,
            selector=spec.workload_selector.labels if spec.workload_selector is not None else {},
            labels=entry.metadata.labels,
            resolution=resolution,
            is_external=spec.location != "MESH_INTERNAL",
            subject_alt_names=spec.subject_alt_names,
            entry=entry.ref,
            prefers=services.preference(entry.metadata.annotations),
        )
        for host in spec.hosts
    ]


def resolution_of(spec: service_entries.ServiceEntry) -> services.Resolution:
    return spec.resolution or "NONE"


def build_endpoints(
    entry: parsing.Parsed,
    by_ip: Mapping[str, workloads.Workload],
    more: Iterable[workloads.Workload] = (),
) -> Iterable[tuple[tuple[str, int], tuple[endpoints.Endpoint, ...]]]:
    """
    Yield ((host, port), endpoints) of one ServiceEntry, in the order of its YAML.

    With DNS the address of an endpoint is a name; without endpoints it is that of the service. With NONE and
    DYNAMIC_DNS there are none. `by_ip` are pods, `more` are WorkloadEntries; a selector finds both.
    """
    spec = entry.spec
    if not isinstance(spec, service_entries.ServiceEntry) or resolution_of(spec) in _WITHOUT_ENDPOINTS:
        return
    takes_names = resolution_of(spec) != "STATIC"
    everybody = [*by_ip.values(), *(one for one in more if takes_names or one.is_at_address)]
    for host in spec.hosts:
        for port in spec.ports:
            found = [_endpoint(one, port, entry, by_ip) for one in spec.endpoints if one.address]
            if spec.workload_selector is not None:
                labels = spec.workload_selector.labels
                found += selected(labels, _build_port(port), entry.metadata.namespace, everybody)
            elif not spec.endpoints and takes_names and not host.startswith("*"):
                found = [endpoints.Endpoint(host.lower(), port.target_port or port.number)]
            if found:
                yield (host.lower(), port.number), without_repeats(found)


def without_repeats(found: Iterable[endpoints.Endpoint]) -> tuple[endpoints.Endpoint, ...]:
    """Of several endpoints with the same address and port the first."""
    by_place: dict[tuple[str, int], endpoints.Endpoint] = {}
    for endpoint in found:
        by_place.setdefault((endpoint.ip, endpoint.port), endpoint)
    return tuple(by_place.values())


def _endpoint(
    one: workload_entries.WorkloadEntry,
    port: service_entries.EntryPort,
    entry: parsing.Parsed,
    by_ip: Mapping[str, workloads.Workload],
) -> endpoints.Endpoint:
    number = one.ports.get(port.name) or port.target_port or port.number
    where = workloads.parse_locality(one.locality)
    written = workloads.build_entry(entry.metadata.name, entry.metadata.namespace, one)
    return endpoints.Endpoint(
        one.address,
        number,
        by_ip.get(one.address) or (written if written.speaks_mtls else None),
        own_labels=one.labels,
        own_locality=where if one.locality else None,
        weight=one.weight or 1,
    )


def selected(
    labels: Mapping[str, str],
    port: services.ServicePort,
    namespace: str,
    candidates: Iterable[workloads.Workload],
) -> list[endpoints.Endpoint]:
    """Workloads of a namespace with these labels; they count as they run, without regard to their readiness."""
    found: list[endpoints.Endpoint] = []
    for workload in candidates:
        if workload.namespace != namespace or not labels.items() <= workload.labels.items():
            continue
        number = services.target_port(port, workload)
        if number is not None:
            found.append(endpoints.Endpoint(workload.ip, number, workload, weight=workload.weight))
    return found


def _each_once(addresses: Iterable[str]) -> tuple[str, ...]:
    """
    Addresses and ranges without those that say the same: a listener takes each range once. A range of one address is
    that address.
    """
    by_network = {ipaddress.ip_network(address, strict=False): address for address in reversed([*addresses])}
    found = (
        address.partition("/")[0] if network.num_addresses == 1 else address
        for network, address in by_network.items()
    )
    return tuple(reversed([*found]))


def _build_port(port: service_entries.EntryPort) -> services.ServicePort:
    declared = port.protocol or None
    return services.ServicePort(
        name=port.name,
        number=port.number,
        protocol=protocols.protocol_for(name=port.name, app_protocol=declared, number=port.number),
        target=port.target_port or port.number,
        prefers_name=True,
    )
