"""
What deleting means: preconditions, grace, finalizers, propagation, and the end of the object.

An object goes at once when nothing holds it. A pod that runs on a node stays until its grace is over or the node says
it is gone; an object with finalizers stays until they are removed; a namespace until its `spec.finalizers` are. While
it stays it has a `deletionTimestamp`. A CustomResourceDefinition takes its objects with it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final, Literal

from bookmesh.base.kubernetes import JsonObject, Resource, conflict, copy_json
from bookmesh.kube.api import admission, authentication, custom_resources, metadata, option_rules
from bookmesh.kube.api.strategies import base
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

Propagation = Literal["Background", "Foreground", "Orphan"]

_FINALIZERS: Final = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
_CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """
    What a client asks for, and who it is; `uid` and `resource_version` are preconditions, `grace_s` None is the usual.

    `is_own` is for what the server itself does: no webhook is asked about it.
    """

    grace_s: int | None = None
    propagation: Propagation | None = None
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False
    user: authentication.User = authentication.SERVER
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """`object` as it is now, or was at its end; `is_gone` tells which, and in a dry run which it would be."""

    object: JsonObject
    is_gone: bool
    warnings: tuple[str, ...] = ()


class Remover:
    """Everything that takes objects out of the store goes through here."""

    def __init__(
        self,
        store: stores.Store,
        *,
        custom: custom_resources.CustomResources,
        admission: admission.Admission,
        clock: metadata.Clock,
    ) -> None:
        self._store, self._custom, self._admission, self._clock = store, custom, admission, clock

    async def delete(
        self, kind: kinds_module.Kind, strategy: base.Strategy, stored: records.Stored, options: DeleteOptions
    ) -> Deleted:
        """
        Delete one object as far as that is possible now.

        Raises `VersionMismatch` or `Missing` when somebody else wrote while webhooks were asked.
        """
        _check_preconditions(kind, stored.object, options)
        strategy.check_delete(stored.object)
        warnings = await self._review(kind, stored, options)
        if options.dry_run:
            is_gone = self._would_be_gone(strategy, stored, options)
            return Deleted(stored.object, is_gone=is_gone, warnings=warnings)
        if stored.group_resource == custom_resources.DEFINITIONS:
            self._delete_instances(stored)
        before = stored.object["metadata"]
        finalizers = _finalizers_for(before, options.propagation)
        if stored.group_resource == custom_resources.DEFINITIONS and self._custom.instances(stored.object):
            finalizers = list(dict.fromkeys([*finalizers, _CLEANUP]))
        grace_s = strategy.grace_s(stored.object, options.grace_s)
        is_pending = "deletionTimestamp" in before
        if is_pending:
            grace_s = min(grace_s, before.get("deletionGracePeriodSeconds") or 0)
        if not finalizers and grace_s == 0 and not strategy.is_held(stored.object):
            return Deleted(self.remove(stored), is_gone=True, warnings=warnings)
        if (
            is_pending
            and finalizers == (before.get("finalizers") or [])
            and grace_s == before.get("deletionGracePeriodSeconds")
        ):
            return Deleted(stored.object, is_gone=False, warnings=warnings)
        obj = self._marked(stored.object, finalizers=finalizers, grace_s=grace_s)
        strategy.begin_deletion(obj)
        updated = self._store.update(
            stored.group_resource, stored.namespace, stored.name, obj, expected=stored.version
        )
        return Deleted(updated.object, is_gone=False, warnings=warnings)

    def _would_be_gone(self, strategy: base.Strategy, stored: records.Stored, options: DeleteOptions) -> bool:
        obj = stored.object
        is_kept = _finalizers_for(obj["metadata"], options.propagation) or strategy.is_held(obj)
        return not is_kept and strategy.grace_s(obj, options.grace_s) == 0

    def remove(self, stored: records.Stored) -> JsonObject:
        """Take the object out of the store now; returns its last state."""
        last = self._store.delete(
            stored.group_resource, stored.namespace, stored.name, expected=stored.version
        )
        self._finish_definition(stored.group_resource)
        return last.object

    def is_released(self, obj: JsonObject, strategy: base.Strategy) -> bool:
        """Whether an object that is being deleted is held by nothing any more."""
        fields = obj["metadata"]
        return (
            "deletionTimestamp" in fields
            and not fields.get("finalizers")
            and not fields.get("deletionGracePeriodSeconds")
            and not strategy.is_held(obj)
        )

    async def _review(
        self, kind: kinds_module.Kind, stored: records.Stored, options: DeleteOptions
    ) -> tuple[str, ...]:
        request = admission.AdmissionRequest(
            operation="DELETE",
            resource=kind.resource,
            namespace=stored.namespace,
            name=stored.name,
            object=stored.object,
            old=stored.object,
            dry_run=options.dry_run,
            kind=kind.kind,
            user=options.user,
            options=_shown_options(options),
            is_own=options.is_own,
        )
        warnings = (await self._admission.mutate(request)).warnings
        return (*warnings, *await self._admission.validate(request))

    def _marked(self, obj: JsonObject, *, finalizers: list[str], grace_s: int) -> JsonObject:
        marked = copy_json(obj)
        fields = marked["metadata"]
        if "deletionTimestamp" not in fields and "generation" in fields:
            fields["generation"] += 1
        if "deletionTimestamp" not in fields or grace_s != fields.get("deletionGracePeriodSeconds"):
            end = self._clock() + datetime.timedelta(seconds=grace_s)
            fields["deletionTimestamp"] = metadata.timestamp(end)
            fields["deletionGracePeriodSeconds"] = grace_s
        if finalizers:
            fields["finalizers"] = finalizers
        return marked

    def _delete_instances(self, definition: records.Stored) -> None:
        """Delete every object of the kind; those with finalizers stay, and the definition with them."""
        for instance in self._custom.instances(definition.object):
            if not instance.object["metadata"].get("finalizers"):
                self._store.delete(
                    instance.group_resource, instance.namespace, instance.name, expected=instance.version
                )
            elif "deletionTimestamp" not in instance.object["metadata"]:
                finalizers = instance.object["metadata"]["finalizers"]
                marked = self._marked(instance.object, finalizers=finalizers, grace_s=0)
                self._store.update(
                    instance.group_resource,
                    instance.namespace,
                    instance.name,
                    marked,
                    expected=instance.version,
                )

    def _finish_definition(self, removed: records.GroupResource) -> None:
        """Remove a definition that waited for its last object."""
        definition = self._custom.definition_of(removed.group, removed.plural)
        if definition is None or "deletionTimestamp" not in definition.object["metadata"]:
            return
        if self._custom.instances(definition.object):
            return
        finalizers = [
            entry for entry in definition.object["metadata"].get("finalizers") or [] if entry != _CLEANUP
        ]
        if not finalizers:
            self.remove(definition)
            return
        obj = copy_json(definition.object)
        obj["metadata"]["finalizers"] = finalizers
        self._store.update(
            custom_resources.DEFINITIONS, "", definition.name, obj, expected=definition.version
        )


def _shown_options(options: DeleteOptions) -> JsonObject:
    """The options as webhooks see them."""
    found = {
        "kind": "DeleteOptions",
        "apiVersion": "meta.k8s.io/v1",
        "gracePeriodSeconds": options.grace_s,
        "propagationPolicy": options.propagation,
        "dryRun": ["All"] if options.dry_run else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _check_preconditions(kind: kinds_module.Kind, obj: JsonObject, options: DeleteOptions) -> None:
    fields = obj["metadata"]
    for label, wanted, actual, why in (
        ("UID", options.uid, fields.get("uid"), "deleted and then recreated"),
        ("ResourceVersion", options.resource_version, fields.get("resourceVersion"), "modified"),
    ):
        if wanted and wanted != actual:
            raise conflict(
                Resource(kind.group, kind.version, kind.kind),
                fields["name"],
                f"the {label} in the precondition ({wanted}) does not match the {label} in record ({actual}). "
                f"The object might have been {why}",
            )


def _finalizers_for(fields: JsonObject, propagation: Propagation | None) -> list[str]:
    """The object's finalizers, with the one that a propagation policy stands for and without its opposite."""
    finalizers = list(fields.get("finalizers") or [])
    if propagation is None:
        return finalizers
    wanted = _FINALIZERS.get(propagation)
    kept = [entry for entry in finalizers if entry == wanted or entry not in _FINALIZERS.values()]
    return kept if wanted is None or wanted in kept else [*kept, wanted]


def parse_options(body: JsonObject) -> DeleteOptions:
    """
    Read a `DeleteOptions` object (or an empty one); a negative grace is as short as one can be.

    Raises:
        ApiError: 400 when it is none, 422 for what makes no sense.
    """
    option_rules.check_delete(body)
    propagation = body.get("propagationPolicy")
    if propagation is None and body.get("orphanDependents") is not None:
        propagation = "Orphan" if body["orphanDependents"] else "Background"
    grace_s = body.get("gracePeriodSeconds")
    if grace_s is not None and grace_s < 0:
        grace_s = 1
    preconditions = body.get("preconditions") or {}
    return DeleteOptions(
        grace_s=grace_s,
        propagation=propagation,
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        dry_run="All" in (body.get("dryRun") or []),
    )
