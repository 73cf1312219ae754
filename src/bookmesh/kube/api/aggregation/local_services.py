"""
Keeps an APIService for every group version that this server answers itself, as a real one does.

Those of built-in kinds are made when the server starts; those of custom kinds come and go with their definitions. A
name that somebody registered a Service under is left alone.
"""

from __future__ import annotations

from typing import Final

from bookmesh.base.kubernetes import API_SERVICES, JsonObject
from bookmesh.kube.api import custom_resources, deleting, verbs, writing
from bookmesh.kube.schema import group_priorities
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.store import records

PLACE: Final = records.GroupResource(API_SERVICES.group, API_SERVICES.plural)
_LABEL: Final = "kube-aggregator.kubernetes.io/automanaged"
_ON_START, _ALWAYS = "onstart", "true"
_OPTIONS: Final = writing.WriteOptions(manager="kube-apiserver", is_own=True)
_DELETION: Final = deleting.DeleteOptions(is_own=True)


class LocalServices:
    """Makes what is missing, and follows the store from then on."""

    def __init__(self, over: verbs.Verbs) -> None:
        self._verbs = over
        for kind in over.kinds.all():
            if (
                kind.group != group_priorities.REGISTRATION
                and not kind.is_custom
                and not over.is_computed(kind)
            ):
                self._ensure(kind)
        self._follow_definitions()
        over.store.subscribe(self._on_change)

    def _on_change(self, change: records.Change) -> None:
        place = change.stored.group_resource
        if place == custom_resources.DEFINITIONS or (place == PLACE and change.type == "DELETED"):
            self._follow_definitions()

    def _follow_definitions(self) -> None:
        wanted = {name_of(kind): kind for kind in self._verbs.kinds.all() if kind.is_custom}
        for kind in wanted.values():
            self._ensure(kind)
        for stored in self._verbs.store.list(PLACE):
            labels = stored.object["metadata"].get("labels") or {}
            if labels.get(_LABEL) == _ALWAYS and stored.name not in wanted:
                self._verbs.delete(API_SERVICES, stored.name, options=_DELETION)

    def _ensure(self, kind: kinds_module.Kind) -> None:
        if self._verbs.store.get(PLACE, "", name_of(kind)) is None:
            self._verbs.create(API_SERVICES, _build(kind), options=_OPTIONS)


def name_of(kind: kinds_module.Kind) -> str:
    """The name of the APIService of a kind's group version."""
    return f"{kind.version}.{kind.group}"


def _build(kind: kinds_module.Kind) -> JsonObject:
    group_priority, version_priority = group_priorities.priority_of(kind)
    return {
        "metadata": {
            "name": name_of(kind),
            "labels": {_LABEL: _ALWAYS if kind.is_custom else _ON_START},
        },
        "spec": {
            "group": kind.group,
            "version": kind.version,
            "groupPriorityMinimum": group_priority,
            "versionPriority": version_priority,
        },
    }
