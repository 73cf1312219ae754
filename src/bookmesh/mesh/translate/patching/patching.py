"""The front door: what a proxy gets, changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bookmesh.mesh.model import envoy_filters
from bookmesh.mesh.snapshot import envoy_filters as filters_
from bookmesh.mesh.snapshot import gateways
from bookmesh.mesh.translate import built, caching, naming
from bookmesh.mesh.translate.patching import applying, clusters, listeners, routes
from bookmesh.mesh.wire import type_urls

_INBOUND: Final = "SIDECAR_INBOUND"
_OUTBOUND: Final = "SIDECAR_OUTBOUND"
_GATEWAY: Final = "GATEWAY"
_ADDING: Final = ("ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST")


def _patch_routes(config: Any, place: applying.Place) -> bool:
    routes.patch(config, place)
    return True


_PATCHERS: Final[Mapping[str, Callable[[Any, applying.Place], bool]]] = {
    type_urls.CLUSTER: clusters.patch,
    type_urls.LISTENER: listeners.patch,
    type_urls.ROUTES: _patch_routes,
}
# Which changes can be about a resource of a type; listeners may have routes inside.
_CONCERNING: Final[Mapping[str, frozenset[str]]] = {
    type_urls.CLUSTER: frozenset({"CLUSTER"}),
    type_urls.ROUTES: frozenset({"ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"}),
    type_urls.LISTENER: frozenset(
        {
            *("LISTENER", "LISTENER_FILTER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER"),
            *("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"),
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Patcher:
    """Makes the changes for proxies of one kind; `ports` are those of a gateway."""

    patches: tuple[filters_.Patch, ...]
    is_router: bool
    ports: tuple[gateways.GatewayPort, ...]
    cache: caching.Cache

    def change(self, part: built.Part, *, adds: bool = False) -> built.Part:
        """
        Give a part with all changes made, and with what is new if `adds`. What does not change is the same object.

        Endpoints are not changed, as there is no way to say so; those of a cluster that is removed go with it.
        """
        return self.cache.get(self._key(part, adds=adds), self._change, part, adds=adds)

    def _key(self, part: built.Part, *, adds: bool) -> tuple[object, ...]:
        return "patched", part, self.patches, self.is_router, self.ports, adds

    def _change(self, part: built.Part, *, adds: bool) -> built.Part:
        places = self._places()
        previous = part.previous
        if previous is not None and not adds and not any(map(_may_rename, self.patches)):
            known = self.cache.find(self._key(previous, adds=adds))
            if isinstance(known, built.Part):
                return self._update(known, part, places)
        found = [
            changed
            for type_url in _PATCHERS
            for one in part.built[type_url].values()
            for changed in self._patch(one, places)
        ]
        kept = {one.name for one in found if one.type_url == type_urls.CLUSTER}
        removed = part.built[type_urls.CLUSTER].keys() - kept
        found += [e for e in part.built[type_urls.ENDPOINTS].values() if e.name not in removed]
        for place in places.values() if adds else ():
            found += self._added(place)
        return built.part_of(found)

    def _places(self) -> dict[envoy_filters.Context, applying.Place]:
        values = applying.read_values(self.patches)
        served = tuple(
            (p.target, tuple(sorted({s.server.port.number for s in p.servers}))) for p in self.ports
        )
        contexts: tuple[envoy_filters.Context, ...] = (_GATEWAY,) if self.is_router else (_OUTBOUND, _INBOUND)
        return {context: applying.Place(context, self.patches, served, values) for context in contexts}

    def _update(
        self, known: built.Part, part: built.Part, places: Mapping[envoy_filters.Context, applying.Place]
    ) -> built.Part:
        """Change what differs from the part that became `known`; every name stays as it is."""
        changed = {type_url: part.changed.get(type_url, frozenset()) for type_url in _PATCHERS}
        fresh = [
            patched
            for type_url, names in changed.items()
            for name in names
            if name in part.built[type_url]
            for patched in self._patch(part.built[type_url][name], places)
        ]
        clusters = changed[type_urls.CLUSTER]
        removed = clusters - {one.name for one in fresh if one.type_url == type_urls.CLUSTER}
        changed[type_urls.ENDPOINTS] = clusters | part.changed.get(type_urls.ENDPOINTS, frozenset())
        for name in changed[type_urls.ENDPOINTS]:
            assignment = part.built[type_urls.ENDPOINTS].get(name)
            is_kept = name not in removed if name in clusters else name in known.built[type_urls.CLUSTER]
            if assignment is not None and is_kept:
                fresh.append(assignment)
        gone = [
            known.built[type_url][name]
            for type_url, names in changed.items()
            for name in names
            if name in known.built[type_url]
        ]
        return built.replace_in(known, gone, fresh)

    def _patch(
        self, one: built.Built, places: Mapping[envoy_filters.Context, applying.Place]
    ) -> Iterator[built.Built]:
        """The changed resource, the very same one when nothing changes, none when it is removed."""
        place = places[_context_of(one, is_router=self.is_router)]
        concerning = _CONCERNING[one.type_url]
        if not any(p.apply_to in concerning and p.context in ("ANY", place.context) for p in self.patches):
            yield one
            return
        message = type(one.message).FromString(one.serialized)
        if not _PATCHERS[one.type_url](message, place):
            return
        if message == one.message:
            yield one
            return
        refs = dict.fromkeys((*one.sources, *(patch.ref for patch in self.patches)))
        yield built.finish(one.type_url, message.name, message, tuple(refs), self.cache)

    def _added(self, place: applying.Place) -> Iterator[built.Built]:
        """Listeners and clusters that are new; without a context they are not for inbound traffic."""
        for apply_to, type_url in (("LISTENER", type_urls.LISTENER), ("CLUSTER", type_urls.CLUSTER)):
            for change in place.changes(apply_to, _ADDING):
                if place.context != _INBOUND or change.patch.context == _INBOUND:
                    value = change.value
                    yield built.finish(type_url, value.name, value, (change.patch.ref,), self.cache)


def _may_rename(patch: filters_.Patch) -> bool:
    """Whether a change may give a resource another name, which others may have as well."""
    value = patch.config.patch.value if patch.config.patch is not None else None
    return "name" in (value or {}) and patch.apply_to in ("CLUSTER", "LISTENER", "ROUTE_CONFIGURATION")


def _context_of(one: built.Built, *, is_router: bool) -> envoy_filters.Context:
    if is_router:
        return _GATEWAY
    is_inbound = one.name.startswith("inbound|") or one.name in (naming.INBOUND_PASSTHROUGH, "virtualInbound")
    return _INBOUND if is_inbound else _OUTBOUND
