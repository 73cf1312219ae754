"""
ServiceEntries that say something about the same host.

Those of one namespace that agree on everything but ports and endpoints are one service, named after the oldest; all
others are services of their own, and who sees which is decided later.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import endpoints as endpoints_
from bookmesh.mesh.registry import entries as entries_
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.registry import workloads as workloads_

EndpointKey = tuple[str, ObjectRef, int]  # hostname, object of the service, number of its port


@dataclass(frozen=True, slots=True)
class Joined:
    """Services of all ServiceEntries, oldest first, and their endpoints, no entry when there are none."""

    services: Sequence[services_.Service]
    endpoints: Mapping[EndpointKey, tuple[endpoints_.Endpoint, ...]]

    def of(self, host: str) -> Joined:
        """The part that is about one host."""
        return Joined(
            tuple(service for service in self.services if service.hostname == host),
            {key: found for key, found in self.endpoints.items() if key[0] == host},
        )


def join(
    oldest_first: Iterable[parsing.Parsed],
    by_ip: Mapping[str, workloads_.Workload],
    written: Sequence[workloads_.Workload],
) -> Joined:
    """
    Read ServiceEntries; other objects do not count. `by_ip` are pods, `written` are WorkloadEntries.

    Of two ports with one number the older one counts; the endpoints of both stand behind it if they share the name.
    """
    services: dict[Hashable, services_.Service] = {}
    endpoints: dict[EndpointKey, tuple[endpoints_.Endpoint, ...]] = {}
    for entry in oldest_first:
        own = dict(entries_.build_endpoints(entry, by_ip, written))
        for added in entries_.build_services(entry):
            key = _identity(added)
            service = _with_ports_of(services.get(key, added), added)
            services[key] = service
            for port in added.ports:
                found = own.get((added.hostname, port.number))
                place = (added.hostname, service.ref, port.number)
                counts = service.port(port.number)
                if found and counts is not None and counts.name == port.name:
                    endpoints[place] = entries_.without_repeats([*endpoints.get(place, ()), *found])
    return Joined(tuple(services.values()), endpoints)


def _identity(service: services_.Service) -> Hashable:
    """What ServiceEntries have in common that are one service."""
    return (
        service.hostname,
        service.namespace,
        service.resolution,
        frozenset(service.export_to),
        frozenset(service.labels.items()),
        frozenset(service.selector.items()),
    )


def _with_ports_of(service: services_.Service, other: services_.Service) -> services_.Service:
    more = tuple(port for port in other.ports if service.port(port.number) is None)
    return replace(service, ports=(*service.ports, *more)) if more else service
