"""
What the mesh sees of what is mirrored: the objects of the namespaces that MeshConfig's `discoverySelectors` select.

To everybody behind it an object in another namespace is one that is not there. When selectors or labels of namespaces
change, the objects of the namespaces that come or go count as changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.base.latest import Latest
from bookmesh.mesh.control.mirroring import Key, Mirror
from bookmesh.mesh.gateway_api import namespaces as namespaces_
from bookmesh.mesh.model.gateway_api import gateways


class Discovery:
    """Follows `mirrors`, among them that of namespaces; sees all of them until `select` is called."""

    def __init__(self, mirrors: Iterable[Mirror]) -> None:
        self._mirrors = {mirror.resource: mirror for mirror in mirrors}
        self._changed = {resource: mirror.follow() for resource, mirror in self._mirrors.items()}
        self._seen: frozenset[str] | None = None
        self._latest_seen: Latest[frozenset[str] | None] = Latest()
        self._latest_objects: dict[Resource, Latest[tuple[JsonObject, ...]]] = {}

    def select(self, selectors: tuple[gateways.LabelSelector, ...]) -> None:
        """
        See the namespaces that one of the selectors selects; without any all, and those that do not exist as well.

        Source: MeshConfig `discoverySelectors`.
        """
        existing = self._mirrors[kubernetes.NAMESPACES].objects()
        seen = self._latest_seen.get((selectors, existing), lambda: selected(selectors, existing))
        before, self._seen = self._seen, seen
        if seen == before:
            return
        for resource, mirror in self._mirrors.items():
            self._changed[resource].note(
                key for key in mirror.names() if _sees(before, key[0]) != _sees(seen, key[0])
            )

    def take(self, resource: Resource) -> Mapping[Key, JsonObject | None]:
        """What changed since this was asked last, by namespace and name; None for objects that are gone or not seen."""
        found = self._changed[resource].take()
        if self._seen is None:
            return found
        return {key: obj if _sees(self._seen, key[0]) else None for key, obj in found.items()}

    def objects(self, resource: Resource) -> tuple[JsonObject, ...]:
        """All that is seen; the same tuple until something changes."""
        everything, seen = self._mirrors[resource].objects(), self._seen
        if seen is None:
            return everything
        latest = self._latest_objects.setdefault(resource, Latest())
        return latest.get(
            (everything, seen),
            lambda: tuple(obj for obj in everything if _sees(seen, obj["metadata"].get("namespace", ""))),
        )

    def note_all(self) -> None:
        """Let every object count as changed: somebody lost what they had made of them."""
        for changed in self._changed.values():
            changed.note_all()


def selected(
    selectors: Iterable[gateways.LabelSelector], existing: Iterable[JsonObject]
) -> frozenset[str] | None:
    """The names of the namespaces that are seen; None for all."""
    wanted = tuple(selectors)
    if not wanted:
        return None
    return frozenset(
        namespace["metadata"]["name"]
        for namespace in existing
        if any(namespaces_.selects(each, _labels_of(namespace)) for each in wanted)
    )


def _labels_of(namespace: JsonObject) -> dict[str, str]:
    metadata = namespace["metadata"]
    return {namespaces_.NAME_LABEL: metadata["name"], **(metadata.get("labels") or {})}


def _sees(seen: frozenset[str] | None, namespace: str) -> bool:
    """Objects of no namespace are always seen."""
    return seen is None or not namespace or namespace in seen
