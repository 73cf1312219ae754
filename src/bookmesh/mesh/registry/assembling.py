"""
A registry kept in step with a changing Kubernetes API, at the cost of what changes.

`Assembly` remembers what was read of each object. When only endpoints or pods change, the parts of the registry that
are about their services are made anew and all others are the very same objects as before; anything else puts the whole
together again, out of what was read. The result is always equal to that of `registry.build` for the same objects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from bookmesh.base import overlays
from bookmesh.base import steps as steps_
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import parsing, service_entries, workload_entries
from bookmesh.mesh.registry import joining
from bookmesh.mesh.registry import registry as registries
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.registry import slices as slices_
from bookmesh.mesh.registry import workloads as workloads_

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
V = TypeVar("V")
Key = tuple[str, str]  # namespace, name
_SLICE: Final = 50  # objects read between two steps
Changed = Mapping[Key, JsonObject | None]
_Differences = Mapping[Key, tuple[T | None, T | None]]


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
        self.items: dict[Key, T] = {}
        self._read = read

    def apply(self, changed: Changed) -> steps_.Steps[_Differences[T]]:
        """Take changes in; gives (before, after) of those that make a difference to us."""
        differences: dict[Key, tuple[T | None, T | None]] = {}
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
        self._registry: registries.Registry | None = None
        self._slices_of: defaultdict[str, dict[Key, slices_.Slice]] = defaultdict(dict)
        self._hosts_at: defaultdict[str, dict[Key, str]] = defaultdict(dict)  # by slice
        self._pods_at: defaultdict[str, dict[Key, workloads_.Workload]] = defaultdict(dict)
        self._selecting: Mapping[tuple[str, str, str], Sequence[services_.Service]] = {}

    def apply(self, changes: Changes, configs: Iterable[parsing.Parsed]) -> registries.Registry:
        """Take changes in; this is `steps` in one go."""
        return steps_.result_of(self.steps(changes, configs))

    def steps(self, changes: Changes, configs: Iterable[parsing.Parsed]) -> steps_.Steps[registries.Registry]:
        """Take changes in; of `configs`, objects of the mesh's own kinds, all of `registries.REGISTERED` count."""
        entries = tuple(config for config in configs if isinstance(config.spec, registries.REGISTERED))
        is_other = bool((yield from self._services.apply(changes.services)))
        is_other |= bool((yield from self._namespaces.apply(changes.namespaces)))
        is_other |= entries != self._entries
        self._entries = entries
        slices = yield from self._slices.apply(changes.endpoint_slices)
        workloads = yield from self._workloads.apply(changes.pods)
        hosts = self._index_slices(slices)
        yield
        addresses = self._index_workloads(workloads)
        yield
        # Services of Kubernetes may have such entries behind them, which slices do not tell.
        is_written = any(isinstance(entry.spec, workload_entries.WorkloadEntry) for entry in entries)
        is_other |= bool((addresses and any(map(_looks_at_pods, entries))) or (hosts and is_written))
        if self._registry is None or is_other:
            self._registry = yield from self._assemble(self._registry)
        elif hosts or addresses:
            self._registry = self._update(self._registry, hosts, addresses, workloads)
        return self._registry

    def _index_slices(self, differences: _Differences[slices_.Slice]) -> set[str]:
        """Note which addresses are behind which host now; gives the hosts about which slices say something new."""
        hosts: set[str] = set()
        for key, (before, after) in differences.items():
            if before is not None:
                host = before.hostname(self._domain)
                _forget(self._slices_of, host, key)
                hosts.add(host)
                for address in dict.fromkeys(before.addresses):
                    _forget(self._hosts_at, address, key)
            if after is not None:
                host = after.hostname(self._domain)
                self._slices_of[host][key] = after
                hosts.add(host)
                for address in after.addresses:
                    self._hosts_at[address][key] = host
        return hosts

    def _index_workloads(self, differences: _Differences[workloads_.Workload]) -> set[str]:
        """Note which pods are at which address; gives the addresses that are concerned."""
        addresses: set[str] = set()
        for key, (before, after) in differences.items():
            if before is not None:
                _forget(self._pods_at, before.ip, key)
                addresses.add(before.ip)
            if after is not None:
                self._pods_at[after.ip][key] = after
                addresses.add(after.ip)
        return addresses

    def _assemble(self, previous: registries.Registry | None) -> steps_.Steps[registries.Registry]:
        self._selecting = _selecting(self._services.items.values())
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
        )

    def _update(
        self,
        previous: registries.Registry,
        hosts: set[str],
        addresses: set[str],
        differences: _Differences[workloads_.Workload],
    ) -> registries.Registry:
        workloads, behind = previous.workloads, previous.behind
        if addresses:
            found_at: dict[str, workloads_.Workload | None] = {}
            for address in addresses:
                here = self._pods_at.get(address)
                found_at[address] = here[max(here)] if here else None
                hosts.update(self._hosts_at.get(address, {}).values())
            workloads = overlays.changed(workloads, found_at)
            behind = overlays.changed(behind, self._reselect(behind, differences))
        endpoints: dict[joining.EndpointKey, tuple[registries.Endpoint, ...] | None] = {}
        for host in hosts:
            service = previous.services.get(host)
            if service is not None and service.entry is None:
                found = registries.service_endpoints(
                    service, self._slices_of.get(host, {}).values(), workloads
                )
                keys = ((host, service.ref, port.number) for port in service.ports)
                endpoints |= {key: found.get(key) for key in keys}
        return replace(
            previous,
            workloads=workloads,
            behind=behind,
            endpoints=overlays.changed(previous.endpoints, endpoints),
        )

    def _reselect(
        self,
        behind: Mapping[str, tuple[workloads_.Workload, ...]],
        differences: _Differences[workloads_.Workload],
    ) -> dict[str, tuple[workloads_.Workload, ...] | None]:
        """What is now behind the services that select a changed pod, as it was or as it is; None for nothing."""
        found: dict[str, tuple[workloads_.Workload, ...] | None] = {}
        changed = [workload for pair in differences.values() for workload in pair if workload is not None]
        services = {
            service.hostname: service
            for workload in changed
            for label in workload.labels.items()
            for service in self._selecting.get((workload.namespace, *label), ())
            if service.selects(workload.labels)
        }
        for host, service in services.items():
            kept = [workload for workload in behind.get(host, ()) if workload not in changed]
            now = [
                workload
                for _, workload in differences.values()
                if workload is not None
                and workload.namespace == service.namespace
                and service.selects(workload.labels)
            ]
            found[host] = tuple(sorted([*kept, *now], key=registries.pod_order)) or None
        return found


def _forget(index: dict[str, dict[Key, V]], place: str, key: Key) -> None:
    """Take an object out of an index, and with the last one its place."""
    del index[place][key]
    if not index[place]:
        del index[place]


def _looks_at_pods(entry: parsing.Parsed) -> bool:
    """Whether the endpoints of an entry depend on pods: it selects some, or has addresses that may be theirs."""
    spec = entry.spec
    if isinstance(spec, service_entries.ServiceEntry):
        return spec.workload_selector is not None or bool(spec.endpoints)
    return True


def _selecting(
    services: Iterable[services_.Service],
) -> dict[tuple[str, str, str], list[services_.Service]]:
    """Services by namespace and the first label that they select by: who selects a pod is under one of its labels."""
    found: defaultdict[tuple[str, str, str], list[services_.Service]] = defaultdict(list)
    for service in services:
        if service.selector:
            found[service.namespace, *next(iter(service.selector.items()))].append(service)
    return found


def _kept(previous: Mapping[K, V], whole: Mapping[K, V]) -> Mapping[K, V]:
    """The new mapping, with the previous object of each value that is equal; the previous one when nothing differs."""
    kept = {key: before if (before := previous.get(key)) == value else value for key, value in whole.items()}
    is_same = kept.keys() == previous.keys() and all(kept[key] is previous[key] for key in kept)
    return previous if is_same and list(kept) == list(previous) else kept
