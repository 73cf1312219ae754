"""Finished resources: one, and the parts that proxies share."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from bookmesh.base import overlays
from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.translate import caching
from bookmesh.mesh.wire import type_urls


class Built:
    """
    One resource: an Envoy message nobody may change, its bytes, and the YAML objects it was made from.

    `serialized` is the message in protobuf encoding, without an Any around it; the same content gives the same bytes.
    """

    __slots__ = ("__weakref__", "_message", "name", "serialized", "sources", "type_url")

    def __init__(self, type_url: str, name: str, message: Any, sources: tuple[ObjectRef, ...] = ()) -> None:
        self.type_url = type_url
        self.name = name
        self.sources = sources
        self.serialized: bytes = message.SerializeToString(deterministic=True)
        self._message = message

    @property
    def message(self) -> Any:
        return self._message


class Joined(Built):
    """A resource that was joined from serialized parts; its message is read when somebody asks for it."""

    __slots__ = ("_message_type",)

    def __init__(
        self, type_url: str, name: str, serialized: bytes, sources: tuple[ObjectRef, ...], message_type: Any
    ) -> None:
        self.type_url = type_url
        self.name = name
        self.sources = sources
        self.serialized = serialized
        self._message_type = message_type

    @property
    def message(self) -> Any:
        return self._message_type.FromString(self.serialized)


Key = tuple[str, str]  # type URL and name


def key_of(one: Built) -> Key:
    return one.type_url, one.name


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
            type_url: frozenset(overlays.differing(before.built[type_url], now))
            for type_url, now in self.built.items()
        }


def part_of(resources: Iterable[Built]) -> Part:
    """Put resources together; of those with one name the last counts."""
    built: dict[str, dict[str, Built]] = {type_url: {} for type_url in type_urls.TRANSLATED}
    for one in resources:
        built[one.type_url][one.name] = one
    return Part(built)


def replace_in(previous: Part, gone: Iterable[Built], fresh: Iterable[Built]) -> Part:
    """Put `fresh` resources in the place of those that are `gone`, or have the same names."""
    named: defaultdict[str, dict[str, Built | None]] = defaultdict(dict)
    for one in gone:
        named[one.type_url][one.name] = None
    for one in fresh:
        named[one.type_url][one.name] = one
    built = dict(previous.built)
    for type_url, own in named.items():
        built[type_url] = overlays.changed(built[type_url], own)
    changed = {
        type_url: frozenset(
            name for name in own if built[type_url].get(name) is not previous.built[type_url].get(name)
        )
        for type_url, own in named.items()
    }
    return Part(built, previous=previous, changed=changed)


def finish(
    type_url: str, name: str, message: Any, sources: tuple[ObjectRef, ...], cache: caching.Cache
) -> Built:
    """Finish a message. One that says the same as in a recent push gives the `Built` of that push."""
    return known(Built(type_url, name, message, sources), cache)


def known(fresh: Built, cache: caching.Cache) -> Built:
    """Give the one that says the same and that somebody has, if there is one."""
    key = ("built", fresh.type_url, fresh.name, fresh.serialized, fresh.sources)
    return cache.get(key, _itself, fresh)


def _itself(fresh: Built) -> Built:
    return fresh
