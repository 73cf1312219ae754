"""
Follows the custom resources a server has: a copy for each established definition, none for one that is gone.

So garbage collection and the end of namespaces know kinds that nobody knew when this was written.
"""

from __future__ import annotations

from bookmesh.base.kubernetes import CUSTOM_RESOURCE_DEFINITIONS
from bookmesh.kube.controllers import informers, resources
from bookmesh.kube.controllers.resources import Served


class Catalogue:
    """What the server has now: the built-in resources and those of its definitions."""

    def __init__(self, caches: informers.Informers) -> None:
        self._caches = caches
        self._custom: dict[str, Served] = {}
        for each in resources.BUILT_IN:
            if each.has_owners:
                caches.of(each.resource)
        caches.of(CUSTOM_RESOURCE_DEFINITIONS).subscribe(self._change)

    def served(self) -> tuple[Served, ...]:
        return (*resources.BUILT_IN, *self._custom.values())

    def _change(self, change: informers.Change) -> None:
        name = change.object["metadata"]["name"]
        after = None if change.type == "DELETED" else resources.of_definition(change.object)
        before = self._custom.pop(name, None)
        if after is not None:
            self._custom[name] = after
            self._caches.of(after.resource)
        if before is not None and (after is None or before.resource != after.resource):
            self._caches.drop(before.resource)
