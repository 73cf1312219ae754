"""
The whole registry, put together from what was read of a Kubernetes API.

`build` starts from the objects themselves. `assemble` starts from what was read of them, so that whoever keeps that
(`assembling`) need not read everything again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base import steps
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import parsing, service_entries, workload_entries
from bookmesh.mesh.registry import entries as entries_
from bookmesh.mesh.registry import joining
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.registry import slices as slices_
from bookmesh.mesh.registry import workloads as workloads_
from bookmesh.mesh.registry.endpoints import DRAINING_LABEL, Endpoint, Health

__all__ = ["Endpoint", "Registry", "assemble", "build"]

REGISTERED: Final = (service_entries.ServiceEntry, workload_entries.WorkloadEntry)


_BEST_FIRST: Final[tuple[Health, ...]] = ("ready", "draining", "unready")
Place = tuple[str, str, str]  # namespace, key and value of a label


@dataclass(frozen=True, slots=True)
class Registry:
    """
    `services` by hostname; `endpoints` by (hostname, object, port number), in address order, no entry when there are
    none; `workloads` by pod IP; `namespaces` name to labels; `behind` are the pods that a Service of
    Kubernetes selects, ready or not, by hostname, no entry when there are none.

    `rivals` are all services of each host that has several, of which everybody may see another one: that of Kubernetes
    first, then the oldest. The first of them is the one in `services`. `selecting` are all services that select pods,
    by namespace and the first label that they ask for, in hostname order. `choosy` are the hosts of services of which
    callers prefer endpoints nearby, in any order; nothing else is said about them here.
    """

    services: Mapping[str, services_.Service] = field(default_factory=dict)
    endpoints: Mapping[joining.EndpointKey, tuple[Endpoint, ...]] = field(default_factory=dict)
    workloads: Mapping[str, workloads_.Workload] = field(default_factory=dict)
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    behind: Mapping[str, tuple[workloads_.Workload, ...]] = field(default_factory=dict)
    rivals: Mapping[str, tuple[services_.Service, ...]] = field(default_factory=dict)
    selecting: Mapping[Place, tuple[services_.Service, ...]] = field(default_factory=dict)
    choosy: Mapping[str, bool] = field(default_factory=dict)

    def services_of(self, hostname: str) -> tuple[services_.Service, ...]:
        """All services of a host, whoever sees them; the one that counts first is the first."""
        several = self.rivals.get(hostname)
        if several is not None:
            return several
        only = self.services.get(hostname)
        return (only,) if only is not None else ()

    def services_selecting(self, workload: workloads_.Workload) -> list[services_.Service]:
        """The services that select a pod, in hostname order, and those of one host in their order."""
        places = ((workload.namespace, *label) for label in workload.labels.items())
        found = [
            service
            for place in places
            for service in self.selecting.get(place, ())
            if service.selects(workload.labels)
        ]
        return sorted(found, key=lambda one: (one.hostname, self.services_of(one.hostname).index(one)))

    def endpoints_of(self, service: services_.Service, port: int) -> tuple[Endpoint, ...]:
        """All endpoints of a port, ready or not."""
        return self.endpoints.get((service.hostname, service.ref, port), ())

    def is_served(self, service: services_.Service, port: int) -> bool:
        """Whether a port has an endpoint that is ready."""
        return any(endpoint.health == "ready" for endpoint in self.endpoints_of(service, port))

    def workloads_behind(self, service: services_.Service) -> tuple[workloads_.Workload, ...]:
        return self.behind.get(service.hostname, ()) if service.entry is None else ()


def build(
    services: Iterable[JsonObject],
    endpoint_slices: Iterable[JsonObject],
    pods: Iterable[JsonObject],
    namespaces: Iterable[JsonObject],
    *,
    configs: Iterable[parsing.Parsed] = (),
    domain: str = "cluster.local",
) -> Registry:
    """Build the registry of these objects, in any order. Of `configs` those of `REGISTERED` kinds count."""
    workloads = (build_running(pod) for pod in pods)
    work = assemble(
        (services_.build_service(service, domain=domain) for service in services),
        (slices_.build_slice(one) for one in endpoint_slices),
        (workload for workload in workloads if workload is not None),
        {one["metadata"]["name"]: one["metadata"].get("labels") or {} for one in namespaces},
        entries=(config for config in configs if isinstance(config.spec, REGISTERED)),
        domain=domain,
    )
    return steps.result_of(work)


def assemble(
    services: Iterable[services_.Service],
    slices: Iterable[slices_.Slice],
    workloads: Iterable[workloads_.Workload],
    namespaces: Mapping[str, Mapping[str, str]],
    *,
    entries: Iterable[parsing.Parsed] = (),
    domain: str = "cluster.local",
) -> steps.Steps[Registry]:
    """
    Put the registry together in a few steps; the order of the input does not matter. `entries` are of `REGISTERED`
    kinds.

    Of two pods with one address the last one by name counts.
    """
    by_host = {service.hostname: service for service in services}
    ordered = sorted(workloads, key=pod_order)
    by_ip = {workload.ip: workload for workload in ordered}
    yield
    behind = _find_behind(by_host.values(), ordered)
    yield
    endpoints = _build_endpoints(by_host, slices, by_ip, domain)
    yield
    oldest_first = sorted(entries, key=age)
    written = _written_workloads(oldest_first)
    _add_written(endpoints, by_host.values(), written)
    joined = joining.join(oldest_first, by_ip, written)
    of_host: defaultdict[str, list[services_.Service]] = defaultdict(list)
    for service in (*by_host.values(), *joined.services):
        of_host[service.hostname].append(service)
    selecting: defaultdict[Place, list[services_.Service]] = defaultdict(list)
    for _, found in sorted(of_host.items()):
        for service in found:
            for place in places_of([service]):
                selecting[place].append(service)
    return Registry(
        services={host: found[0] for host, found in sorted(of_host.items())},
        endpoints={**endpoints, **joined.endpoints},
        workloads=by_ip,
        namespaces=namespaces,
        behind=behind,
        rivals={host: tuple(found) for host, found in sorted(of_host.items()) if len(found) > 1},
        selecting={place: tuple(found) for place, found in selecting.items()},
        choosy={host: True for host, found in of_host.items() if is_choosy(found)},
    )


def is_choosy(services: Iterable[services_.Service]) -> bool:
    """Whether callers of one of these services prefer endpoints nearby."""
    return any(service.prefers != "any" for service in services)


def places_of(services: Iterable[services_.Service]) -> Iterator[Place]:
    """Under which labels services are found that select pods."""
    for service in services:
        if service.selector:
            yield service.namespace, *next(iter(service.selector.items()))


def pod_order(workload: workloads_.Workload) -> tuple[str, str]:
    return workload.namespace, workload.pod


def build_running(pod: JsonObject) -> workloads_.Workload | None:
    """The workload of a pod; None without an address, and when it has ended: then another pod may have its address."""
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return None
    workload = workloads_.build_workload(pod)
    return workload if workload.ip else None


def service_endpoints(
    service: services_.Service, slices: Iterable[slices_.Slice], by_ip: Mapping[str, workloads_.Workload]
) -> dict[joining.EndpointKey, tuple[Endpoint, ...]]:
    """The endpoints of one Service of Kubernetes, out of its slices; what one calls ready is."""
    found: defaultdict[int, dict[tuple[str, int], Health]] = defaultdict(dict)
    for one in slices:
        for name, number in one.ports:
            for port in service.ports:
                if port.name == name:
                    for place, health in _healths(service, one, number, by_ip):
                        before = found[port.number].get(place, health)
                        found[port.number][place] = min(before, health, key=_BEST_FIRST.index)
    return {
        (service.hostname, service.ref, number): tuple(
            Endpoint(ip, port, by_ip.get(ip), health=found[number][ip, port])
            for ip, port in sorted(found[number], key=_address_order)
        )
        for number in sorted(found)
        if found[number]
    }


def _healths(
    service: services_.Service, one: slices_.Slice, number: int, by_ip: Mapping[str, workloads_.Workload]
) -> Iterator[tuple[tuple[str, int], Health]]:
    """
    The endpoints of a slice at one port. A pod may also say itself that it drains; those that do count only for
    services that keep sessions.
    """
    states: dict[str, Health] = {
        **dict.fromkeys(one.unready, "unready"),
        **dict.fromkeys(one.draining, "draining"),
        **dict.fromkeys(one.addresses, "ready"),
    }
    for address, state in states.items():
        pod = by_ip.get(address)
        is_draining = state == "draining" or (pod is not None and bool(pod.labels.get(DRAINING_LABEL)))
        if not is_draining or service.keeps_sessions:
            yield (address, number), "draining" if is_draining else state


def _written_workloads(configs: Iterable[parsing.Parsed]) -> list[workloads_.Workload]:
    """WorkloadEntries that have an address."""
    return [
        workloads_.build_entry(c.metadata.name, c.metadata.namespace, c.spec)
        for c in configs
        if isinstance(c.spec, workload_entries.WorkloadEntry) and c.spec.address
    ]


def _add_written(
    endpoints: dict[joining.EndpointKey, tuple[Endpoint, ...]],
    services: Iterable[services_.Service],
    written: Sequence[workloads_.Workload],
) -> None:
    """
    A Service of Kubernetes selects WorkloadEntries of its namespace as it selects pods, which win over them. It needs
    addresses: nobody looks names up for it.
    """
    at_addresses = [workload for workload in written if workload.is_at_address]
    for service in services if at_addresses else ():
        for port in service.ports if service.selector else ():
            found = entries_.selected(service.selector, port, service.namespace, at_addresses)
            key = (service.hostname, service.ref, port.number)
            if found:
                endpoints[key] = entries_.without_repeats([*endpoints.get(key, ()), *found])


def age(entry: parsing.Parsed) -> tuple[str, str, str]:
    """By this the oldest of several entries comes first."""
    metadata = entry.metadata
    return metadata.creation_timestamp, metadata.name, metadata.namespace


def _build_endpoints(
    services: Mapping[str, services_.Service],
    slices: Iterable[slices_.Slice],
    by_ip: Mapping[str, workloads_.Workload],
    domain: str,
) -> dict[joining.EndpointKey, tuple[Endpoint, ...]]:
    by_host: defaultdict[str, list[slices_.Slice]] = defaultdict(list)
    for one in slices:
        by_host[one.hostname(domain)].append(one)
    return {
        key: found
        for hostname, own in by_host.items()
        if hostname in services
        for key, found in service_endpoints(services[hostname], own, by_ip).items()
    }


def _address_order(endpoint: tuple[str, int]) -> tuple[list[int], str, int]:
    """Dotted addresses by number, so that 10.244.0.9 comes before 10.244.0.10."""
    ip, port = endpoint
    return [int(part) for part in ip.split(".") if part.isdigit()], ip, port


def _find_behind(
    services: Iterable[services_.Service], workloads: Iterable[workloads_.Workload]
) -> dict[str, tuple[workloads_.Workload, ...]]:
    """Find the pods of each service that selects any."""
    labelled: defaultdict[tuple[str, str, str], list[workloads_.Workload]] = defaultdict(list)
    for workload in workloads:
        for key, value in workload.labels.items():
            labelled[workload.namespace, key, value].append(workload)
    found: dict[str, tuple[workloads_.Workload, ...]] = {}
    for service in services:
        if not service.selector:
            continue
        candidates = labelled.get((service.namespace, *next(iter(service.selector.items()))), ())
        selected = tuple(w for w in candidates if service.selects(w.labels))
        if selected:
            found[service.hostname] = selected
    return found
