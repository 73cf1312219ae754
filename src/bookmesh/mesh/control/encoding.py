"""From built resources to bytes for proxies, and what differs from the bytes a proxy was given before."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bookmesh.base import overlays
from bookmesh.base import steps as steps_
from bookmesh.mesh.translate.built import Built, Part
from bookmesh.mesh.translate.resources import ResourceSet
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources
from bookmesh.mesh.xds.resources import Encoded, Layers

_SLICE: Final = 50  # resources between two steps
EncodedPart = Mapping[str, Mapping[str, Encoded]]  # type URL -> name -> resource


@dataclass(frozen=True, slots=True)
class Publication:
    """
    What a feed publishes. `changed` are all names, by type URL, of what differs from what the proxy was given before;
    None when it was given nothing.
    """

    resources: dict[str, Mapping[str, Encoded]]
    changed: Mapping[str, frozenset[str]] | None

    @property
    def is_news(self) -> bool:
        return self.changed is None or any(self.changed.values())


class Encoder:
    """Encodes each resource once, and each part that proxies share once, for as long as somebody has it."""

    def __init__(self) -> None:
        self._resources: weakref.WeakKeyDictionary[Built, Encoded] = weakref.WeakKeyDictionary()
        self._parts: weakref.WeakKeyDictionary[Part, EncodedPart] = weakref.WeakKeyDictionary()

    def encode(self, resource_set: ResourceSet, previous: ResourceSet | None = None) -> Publication:
        """Encode what one proxy gets; this is `steps` in one go."""
        return steps_.result_of(self.steps(resource_set, previous))

    def steps(
        self, resource_set: ResourceSet, previous: ResourceSet | None = None
    ) -> steps_.Steps[Publication]:
        """Encode what one proxy gets; `previous` is what it was given before."""
        shared = yield from self._part(resource_set.shared)
        own = yield from self._part(resource_set.own)
        found = {type_url: Layers(shared[type_url], own[type_url]) for type_url in type_urls.TRANSLATED}
        if previous is None:
            return Publication(dict(found), None)
        parts = (
            resource_set.shared.changes_since(previous.shared),
            resource_set.own.changes_since(previous.own),
        )
        changed = {
            type_url: frozenset[str]().union(*(part.get(type_url, ()) for part in parts))
            for type_url in type_urls.TRANSLATED
        }
        return Publication(dict(found), changed)

    def _part(self, part: Part) -> steps_.Steps[EncodedPart]:
        found = self._parts.get(part)
        if found is None:
            previous = part.previous
            known = self._parts.get(previous) if previous is not None else None
            found = self._parts[part] = yield from self._encode_part(part, known)
        return found

    def _encode_part(self, part: Part, known: EncodedPart | None) -> steps_.Steps[EncodedPart]:
        if known is None:
            whole: dict[str, dict[str, Encoded]] = {type_url: {} for type_url in part.built}
            for type_url, built in part.built.items():
                for batch in steps_.batches(built.items(), _SLICE):
                    whole[type_url].update((name, self._encode(one)) for name, one in batch)
                    yield
            return whole
        encoded = dict(known)
        for type_url, names in part.changed.items():
            if not names:
                continue
            built = part.built[type_url]
            fresh = {name: self._encode(built[name]) if name in built else None for name in names}
            encoded[type_url] = overlays.changed(known[type_url], fresh)
        return encoded

    def _encode(self, built: Built) -> Encoded:
        found = self._resources.get(built)
        if found is None:
            found = resources.encode(built.type_url, built.name, built.serialized)
            self._resources[built] = found
        return found
