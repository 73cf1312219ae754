"""
Kinds whose objects nobody writes: they are made when somebody asks, as by an API server behind an aggregation layer.

They can be listed and got, with selectors, but not watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import orjson

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.store import records

Source = Callable[[], Iterable[JsonObject]]
"""Gives every object there is now; their `metadata` has name, namespace and labels."""


class Computed:
    """The sources by resource."""

    def __init__(self, sources: Mapping[Resource, Source]) -> None:
        self._sources = dict(sources)

    def __contains__(self, resource: Resource) -> bool:
        return resource in self._sources

    def list(self, resource: Resource, namespace: str = "") -> list[records.Stored]:
        """Objects in (namespace, name) order; `namespace` "" means all."""
        place = records.GroupResource(resource.group, resource.plural)
        found = [
            records.Stored(
                place,
                obj["metadata"].get("namespace", ""),
                obj["metadata"]["name"],
                obj,
                orjson.dumps(obj),
                0,
            )
            for obj in self._sources[resource]()
        ]
        kept = [stored for stored in found if namespace in ("", stored.namespace)]
        return sorted(kept, key=lambda stored: (stored.namespace, stored.name))

    def get(self, resource: Resource, namespace: str, name: str) -> records.Stored | None:
        return next((each for each in self.list(resource, namespace) if each.name == name), None)
