"""Finished resources: one, and the parts that proxies share."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from typing import Any

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.translate import caching
from bookmesh.mesh.wire import type_urls


class Built:
    """
    One resource: an Envoy message nobody may change, its bytes, and the YAML objects it was made from.

    `serialized` is the message in protobuf encoding, without an Any around it; the same content gives the same bytes.
    """

    __slots__ = ("__weakref__", "message", "name", "serialized", "sources", "type_url")

    def __init__(self, type_url: str, name: str, message: Any, sources: tuple[ObjectRef, ...] = ()) -> None:
        self.type_url = type_url
        self.name = name
        self.message = message
        self.sources = sources
        self.serialized: bytes = message.SerializeToString(deterministic=True)


class Part:
    """
    Resources that proxies get together, by type URL (each of `type_urls.TRANSLATED`) and name; nobody may change it.

    `changed` are the names, by type URL, of what differs from an earlier part; everything else is the same object in
    both. So the costs of a change need not grow with what did not change.
    """

    __slots__ = ("__weakref__", "_previous", "built", "changed")

    def __init__(
        self,
        built: Mapping[str, Mapping[str, Built]],
        *,
        previous: Part | None = None,
        changed: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.built = built
        self.changed = changed or {}
        self._previous = weakref.ref(previous) if previous is not None else None

    @property
    def previous(self) -> Part | None:
        """The part that `changed` is about, while somebody has it."""
        return self._previous() if self._previous is not None else None

    def changes_since(self, before: Part) -> Mapping[str, frozenset[str]]:
        """Names, by type URL, of what came, went or differs; of types without a change there may be no entry."""
        if before is self:
            return {}
        if before is self.previous:
            return self.changed
        return {
            type_url: frozenset(
                name
                for name in now.keys() | before.built[type_url].keys()
                if now.get(name) is not before.built[type_url].get(name)
            )
            for type_url, now in self.built.items()
            if now is not before.built[type_url]
        }


def part_of(resources: Iterable[Built]) -> Part:
    """Put resources together; of those with one name the last counts."""
    built: dict[str, dict[str, Built]] = {type_url: {} for type_url in type_urls.TRANSLATED}
    for one in resources:
        built[one.type_url][one.name] = one
    return Part(built)


def finish(
    type_url: str, name: str, message: Any, sources: tuple[ObjectRef, ...], cache: caching.Cache
) -> Built:
    """Finish a message. One that says the same as in a recent push gives the `Built` of that push."""
    fresh = Built(type_url, name, message, sources)
    return cache.get(("built", type_url, name, fresh.serialized, sources), _itself, fresh)


def _itself(fresh: Built) -> Built:
    return fresh
