"""
A registry kept in step with a changing Kubernetes API, at the cost of what changes.

`Assembly` remembers what was read of each object. After changes all that is in the registry about the hosts that they
concern is made anew, and everything else is the very same objects as before. Where there are WorkloadEntries, which any
service may have behind it, the whole is put together again, out of what was read. The result is always equal to that of
`registry.build` for the same objects.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Generic, TypeVar

from bookmesh.base import overlays
from bookmesh.base import steps as steps_
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import parsing, service_entries, workload_entries
from bookmesh.mesh.registry import indexing, joining
from bookmesh.mesh.registry import registry as registries
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.registry import slices as slices_
from bookmesh.mesh.registry import workloads as workloads_

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
V = TypeVar("V")
_SLICE: Final = 50  # objects read between two steps
Changed = Mapping[indexing.Key, JsonObject | None]


@dataclass(frozen=True, slots=True)
class Changes:
    """Objects that came or changed, by namespace and name; None for those that are gone."""

    services: Changed = field(default_factory=dict)
    endpoint_slices: Changed = field(default_factory=dict)
    pods: Changed = field(default_factory=dict)
    namespaces: Changed = field(default_factory=dict)


class _Table(Generic[T]):
    """What was read of the objects of one resource; nothing for those that do not count."""

    def __init__(self, read: Callable[[JsonObject], T | None]) -> None:
        self.items: dict[indexing.Key, T] = {}
        self._read = read

    def apply(self, changed: Changed) -> steps_.Steps[indexing.Differences[T]]:
        """Take changes in; gives (before, after) of those that make a difference to us."""
        differences: dict[indexing.Key, tuple[T | None, T | None]] = {}
        for position, (key, obj) in enumerate(changed.items(), start=1):
            if position % _SLICE == 0:
                yield
            before, after = self.items.get(key), self._read(obj) if obj is not None else None
            if after == before:
                continue
            differences[key] = before, after
            if after is None:
                del self.items[key]
            else:
                self.items[key] = after
        return differences


class Assembly:
    """Call `apply` with every change, in order. Equal content gives the same `Registry`."""

    def __init__(self, *, domain: str) -> None:
        self._domain = domain
        self._services = _Table(lambda obj: services_.build_service(obj, domain=domain))
        self._slices = _Table(slices_.build_slice)
        self._workloads = _Table(registries.build_running)
        self._namespaces: _Table[Mapping[str, str]] = _Table(lambda obj: obj["metadata"].get("labels") or {})
        self._entries: tuple[parsing.Parsed, ...] = ()
        self._others: tuple[parsing.Parsed, ...] = ()
        self._indexes = indexing.Indexes(domain=domain)
        self._registry: registries.Registry | None = None

    def apply(self, changes: Changes, configs: Iterable[parsing.Parsed]) -> registries.Registry:
        """Take changes in; this is `steps` in one go."""
        return steps_.result_of(self.steps(changes, configs))

    def steps(self, changes: Changes, configs: Iterable[parsing.Parsed]) -> steps_.Steps[registries.Registry]:
        """Take changes in; of `configs`, objects of the mesh's own kinds, all of `registries.REGISTERED` count."""
        indexes = self._indexes
        moved = indexes.note_services((yield from self._services.apply(changes.services)))
        hosts = indexes.note_slices((yield from self._slices.apply(changes.endpoint_slices)))
        workloads = yield from self._workloads.apply(changes.pods)
        addresses = indexes.note_workloads(workloads)
        namespaces = yield from self._namespaces.apply(changes.namespaces)
        entries = tuple(config for config in configs if isinstance(config.spec, registries.REGISTERED))
        others, self._others = self._others, _workload_entries(entries)
        are_others_changed = others != self._others
        moved |= self._note_entries(entries)
        yield
        is_changed = bool(moved or hosts or addresses)
        if self._registry is None or are_others_changed or (self._others and is_changed):
            self._registry = yield from self._assemble(self._registry)
        elif is_changed or namespaces:
            if addresses:
                hosts |= {
                    host for entry in entries if _looks_at_pods(entry) for host in indexing.hosts_of(entry)
                }
            changed = _Changed(self._indexes, self._registry, moved=moved, hosts=hosts, pods=workloads)
            fresh = {name: after for (_, name), (_, after) in namespaces.items()}
            self._registry = changed.registry(overlays.changed(self._registry.namespaces, fresh))
        return self._registry

    def _note_entries(self, entries: tuple[parsing.Parsed, ...]) -> set[str]:
        """Take entries in; gives the hosts of those that are otherwise now."""
        if entries == self._entries:
            return set()
        before, self._entries = self._entries, entries
        old, new = set(map(id, before)), set(map(id, entries))
        return self._indexes.note_entries(
            [entry for entry in before if id(entry) not in new],
            [entry for entry in entries if id(entry) not in old],
        )

    def _assemble(self, previous: registries.Registry | None) -> steps_.Steps[registries.Registry]:
        whole = yield from registries.assemble(
            self._services.items.values(),
            self._slices.items.values(),
            self._workloads.items.values(),
            {name: labels for (_, name), labels in self._namespaces.items.items()},
            entries=self._entries,
            domain=self._domain,
        )
        if previous is None:
            return whole
        yield
        return registries.Registry(
            services=_kept(previous.services, whole.services),
            endpoints=_kept(previous.endpoints, whole.endpoints),
            workloads=_kept(previous.workloads, whole.workloads),
            namespaces=_kept(previous.namespaces, whole.namespaces),
            behind=_kept(previous.behind, whole.behind),
            rivals=_kept(previous.rivals, whole.rivals),
            selecting=_kept(previous.selecting, whole.selecting),
            choosy=_kept(previous.choosy, whole.choosy),
        )


class _Changed:
    """
    A registry after changes: `moved` hosts may have other services, `hosts` other endpoints; `pods` are otherwise.
    """

    def __init__(
        self,
        indexes: indexing.Indexes,
        previous: registries.Registry,
        *,
        moved: set[str],
        hosts: set[str],
        pods: indexing.Differences[workloads_.Workload],
    ) -> None:
        self._indexes = indexes
        self._previous = previous
        self._moved = moved
        self._pods = [pod for pair in pods.values() for pod in pair if pod is not None]
        addresses = {pod.ip for pod in self._pods}
        at_addresses = {address: indexes.pod_at(address) for address in addresses}
        self._workloads = overlays.changed(previous.workloads, at_addresses)
        found_there = {host for address in addresses for host in indexes.hosts_at(address)}
        self._joined = {host: self._join(host) for host in moved | hosts | found_there}

    def registry(self, namespaces: Mapping[str, Mapping[str, str]]) -> registries.Registry:
        previous = self._previous
        services = {host: self._services_of(host) for host in self._moved}
        firsts = {host: found[0] if found else None for host, found in services.items()}
        choosy = {host: registries.is_choosy(found) or None for host, found in services.items()}
        rivals = {host: found if len(found) > 1 else None for host, found in services.items()}
        return registries.Registry(
            services=overlays.changed(previous.services, firsts),
            endpoints=overlays.changed(previous.endpoints, self._endpoints()),
            workloads=self._workloads,
            namespaces=namespaces,
            behind=overlays.changed(previous.behind, self._behind()),
            rivals=overlays.changed(previous.rivals, rivals),
            selecting=overlays.changed(previous.selecting, self._selecting(services)),
            choosy=overlays.changed(previous.choosy, choosy),
        )

    def _join(self, host: str) -> joining.Joined:
        """The services that ServiceEntries make of one host."""
        found = sorted(self._indexes.entries_of(host), key=registries.age)
        return joining.join(found, self._workloads, ()).of(host)

    def _services_of(self, host: str) -> tuple[services_.Service, ...]:
        own = self._indexes.service(host)
        return (*((own,) if own is not None else ()), *self._joined[host].services)

    def _endpoints(self) -> dict[joining.EndpointKey, tuple[registries.Endpoint, ...] | None]:
        found: dict[joining.EndpointKey, tuple[registries.Endpoint, ...] | None] = {}
        for host, joined in self._joined.items():
            for service in self._previous.services_of(host):
                found |= {(host, service.ref, port.number): None for port in service.ports}
            own = self._indexes.service(host)
            if own is not None:
                slices = self._indexes.slices_of(host)
                found |= registries.service_endpoints(own, slices, self._workloads)
            found |= joined.endpoints
        return found

    def _behind(self) -> dict[str, tuple[workloads_.Workload, ...] | None]:
        """The pods behind services that are new or otherwise, and behind those that select a changed pod."""
        concerned: dict[str, services_.Service | None] = {
            host: self._indexes.service(host) for host in self._moved
        }
        for pod in self._pods:
            for service in self._previous.services_selecting(pod):
                if service.entry is None:
                    concerned.setdefault(service.hostname, service)
        return {
            host: (self._indexes.pods_of(service) if service is not None else ()) or None
            for host, service in concerned.items()
        }

    def _selecting(
        self, services: Mapping[str, tuple[services_.Service, ...]]
    ) -> dict[registries.Place, tuple[services_.Service, ...] | None]:
        before = [service for host in services for service in self._previous.services_of(host)]
        after = [service for found in services.values() for service in found]
        found: dict[registries.Place, tuple[services_.Service, ...] | None] = {}
        for place in set(registries.places_of([*before, *after])):
            kept = (s for s in self._previous.selecting.get(place, ()) if s.hostname not in services)
            come = (s for s in after if place in registries.places_of([s]))
            found[place] = tuple(sorted([*kept, *come], key=attrgetter("hostname"))) or None
        return found


def _workload_entries(entries: Iterable[parsing.Parsed]) -> tuple[parsing.Parsed, ...]:
    return tuple(entry for entry in entries if isinstance(entry.spec, workload_entries.WorkloadEntry))


def _looks_at_pods(entry: parsing.Parsed) -> bool:
    """Whether the endpoints of an entry depend on pods: it selects some, or has addresses that may be theirs."""
    spec = entry.spec
    if isinstance(spec, service_entries.ServiceEntry):
        return spec.workload_selector is not None or bool(spec.endpoints)
    return True


def _kept(previous: Mapping[K, V], whole: Mapping[K, V]) -> Mapping[K, V]:
    """The new mapping, with the previous object of each value that is equal; the previous one when nothing differs."""
    kept = {key: before if (before := previous.get(key)) == value else value for key, value in whole.items()}
    is_same = kept.keys() == previous.keys() and all(kept[key] is previous[key] for key in kept)
    return previous if is_same and list(kept) == list(previous) else kept
