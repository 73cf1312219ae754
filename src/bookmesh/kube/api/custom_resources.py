"""Keeps the served kinds and their schemas in step with the CustomResourceDefinitions in the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

DEFINITIONS: Final = records.GroupResource("apiextensions.k8s.io", "customresourcedefinitions")


class CustomResources:
    """
    Subscribes to the store: a definition is served from the moment its write is committed.

    `revision` counts changes, for those who cache something derived from the kinds (discovery, OpenAPI).
    """

    def __init__(
        self, store: stores.Store, kinds: kinds_module.Kinds, schemas: schemas_module.Schemas
    ) -> None:
        self._store, self._kinds, self._schemas = store, kinds, schemas
        self.revision = 0
        for stored in store.list(DEFINITIONS):
            self._add(stored.object)
        store.subscribe(self._on_change)

    def _on_change(self, change: records.Change) -> None:
        if change.stored.group_resource != DEFINITIONS:
            return
        before, after = change.previous, change.stored
        is_deleted = change.type == "DELETED"
        if before is not None and not is_deleted and before.object["spec"] == after.object["spec"]:
            return
        if before is not None:
            self._remove(before.object)
        if not is_deleted:
            self._add(after.object)

    def _add(self, definition: JsonObject) -> None:
        self.revision += 1
        if is_accepted(definition):
            self._kinds.add_crd(definition)
            self._schemas.add_crd(definition)

    def _remove(self, definition: JsonObject) -> None:
        self.revision += 1
        if is_accepted(definition):
            self._kinds.remove_crd(definition)
            self._schemas.remove_crd(definition)

    def definition_of(self, group: str, plural: str) -> records.Stored | None:
        """The definition behind a custom kind; None for a built-in one."""
        return self._store.get(DEFINITIONS, "", f"{plural}.{group}") if group else None

    def instances(self, definition: JsonObject) -> list[records.Stored]:
        """Every object of the kind that `definition` defines."""
        spec = definition["spec"]
        return self._store.list(records.GroupResource(spec["group"], spec["names"]["plural"]))


def is_accepted(definition: JsonObject) -> bool:
    """Whether the definition's names are its own, so that it is served."""
    conditions = (definition.get("status") or {}).get("conditions") or []
    return any(entry["type"] == "NamesAccepted" and entry["status"] == "True" for entry in conditions)


def name_conflict(definition: JsonObject, others: Iterable[kinds_module.Kind]) -> tuple[str, str] | None:
    """
    Find out whether another kind of the same group has a name that `definition` wants.

    Returns:
        (reason, message) for the condition NamesAccepted; None when there is no conflict.
    """
    spec = definition["spec"]
    names = spec["names"]
    for other in others:
        if other.group != spec["group"] or f"{other.plural}.{other.group}" == definition["metadata"].get(
            "name"
        ):
            continue
        if other.plural == names["plural"]:
            return "PluralConflict", f'"{names["plural"]}" is already in use'
        if other.kind == names["kind"]:
            return "KindConflict", f'"{names["kind"]}" is already in use'
        if names.get("singular") and other.singular == names["singular"]:
            return "SingularConflict", f'"{names["singular"]}" is already in use'
    return None
