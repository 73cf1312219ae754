"""
Where to look for what belongs to one host: what was read of a changing Kubernetes API, by host, address and label.

Each `note_...` takes (before, after) of what changed, by namespace and name, and says whom it concerns. What is gone
leaves nothing behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from bookmesh.mesh.model import parsing, service_entries
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.registry import slices as slices_
from bookmesh.mesh.registry import workloads as workloads_

T = TypeVar("T")
V = TypeVar("V")
Key = tuple[str, str]  # namespace, name
Differences = Mapping[Key, tuple[T | None, T | None]]


class Indexes:
    """What an `assembling.Assembly` finds things by."""

    def __init__(self, *, domain: str) -> None:
        self._domain = domain
        self._services: dict[str, services_.Service] = {}
        self._slices: defaultdict[str, dict[Key, slices_.Slice]] = defaultdict(dict)  # by host
        self._hosts_at: defaultdict[str, dict[Key, str]] = defaultdict(dict)  # by address, then by slice
        self._pods_at: defaultdict[str, dict[Key, workloads_.Workload]] = defaultdict(dict)
        self._labelled: defaultdict[tuple[str, str, str], dict[Key, workloads_.Workload]] = defaultdict(dict)
        self._entries: defaultdict[str, dict[Key, parsing.Parsed]] = defaultdict(dict)  # by host

    def note_services(self, differences: Differences[services_.Service]) -> set[str]:
        """Gives the hosts of the services."""
        hosts: set[str] = set()
        for before, after in differences.values():
            if before is not None:
                self._services.pop(before.hostname)
                hosts.add(before.hostname)
            if after is not None:
                self._services[after.hostname] = after
                hosts.add(after.hostname)
        return hosts

    def note_slices(self, differences: Differences[slices_.Slice]) -> set[str]:
        """Gives the hosts about which slices say something new."""
        hosts: set[str] = set()
        for key, (before, after) in differences.items():
            if before is not None:
                host = before.hostname(self._domain)
                _forget(self._slices, host, key)
                hosts.add(host)
                for address in dict.fromkeys(before.all_addresses):
                    _forget(self._hosts_at, address, key)
            if after is not None:
                host = after.hostname(self._domain)
                self._slices[host][key] = after
                hosts.add(host)
                for address in after.all_addresses:
                    self._hosts_at[address][key] = host
        return hosts

    def note_workloads(self, differences: Differences[workloads_.Workload]) -> set[str]:
        """Gives the addresses of the pods."""
        addresses: set[str] = set()
        for key, (before, after) in differences.items():
            if before is not None:
                _forget(self._pods_at, before.ip, key)
                addresses.add(before.ip)
                for label in before.labels.items():
                    _forget(self._labelled, (before.namespace, *label), key)
            if after is not None:
                self._pods_at[after.ip][key] = after
                addresses.add(after.ip)
                for label in after.labels.items():
                    self._labelled[after.namespace, *label][key] = after
        return addresses

    def note_entries(self, gone: Iterable[parsing.Parsed], come: Iterable[parsing.Parsed]) -> set[str]:
        """Gives the hosts of the ServiceEntries."""
        hosts: set[str] = set()
        for entry in gone:
            for host in hosts_of(entry):
                _forget(self._entries, host, _key_of(entry))
                hosts.add(host)
        for entry in come:
            for host in hosts_of(entry):
                self._entries[host][_key_of(entry)] = entry
                hosts.add(host)
        return hosts

    def service(self, host: str) -> services_.Service | None:
        """The Service of Kubernetes with this name."""
        return self._services.get(host)

    def slices_of(self, host: str) -> Iterable[slices_.Slice]:
        return self._slices.get(host, {}).values()

    def hosts_at(self, address: str) -> Iterable[str]:
        """The hosts that have an endpoint at an address."""
        return self._hosts_at.get(address, {}).values()

    def pod_at(self, address: str) -> workloads_.Workload | None:
        """The pod that counts at an address: the last one by namespace and name."""
        here = self._pods_at.get(address)
        return here[max(here)] if here else None

    def pods_of(self, service: services_.Service) -> tuple[workloads_.Workload, ...]:
        """The pods that a service selects, by name."""
        if not service.selector:
            return ()
        place = (service.namespace, *next(iter(service.selector.items())))
        candidates = self._labelled.get(place, {})
        return tuple(pod for _, pod in sorted(candidates.items()) if service.selects(pod.labels))

    def entries_of(self, host: str) -> list[parsing.Parsed]:
        """The ServiceEntries that name a host, in any order."""
        return [*self._entries.get(host, {}).values()]


def hosts_of(entry: parsing.Parsed) -> Iterator[str]:
    """The hosts of a ServiceEntry, each once; none of other objects."""
    if isinstance(entry.spec, service_entries.ServiceEntry):
        yield from dict.fromkeys(host.lower() for host in entry.spec.hosts)


def _key_of(entry: parsing.Parsed) -> Key:
    return entry.metadata.namespace, entry.metadata.name


def _forget(index: dict[T, dict[Key, V]], place: T, key: Key) -> None:
    """Take an object out of an index, and with the last one its place."""
    del index[place][key]
    if not index[place]:
        del index[place]
