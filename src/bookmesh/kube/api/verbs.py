"""
What can be done to objects, without HTTP: get, list, create, update, patch, delete.

Everything is synchronous and runs on the event loop's thread, so one call is one atomic step: a patch never meets a
write that came in between.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from bookmesh.base.kubernetes import PODS, ApiError, JsonObject, PatchType, Resource, conflict, not_found
from bookmesh.kube.api import (
    accounting,
    admission,
    applying,
    custom_resources,
    deleting,
    metadata,
    scaling,
    selectors,
    statuses,
    writing,
)
from bookmesh.kube.api.strategies import base, table
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import patching
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.schema.ownership import applying as ownership
from bookmesh.kube.schema.ownership import managers, typed
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_PLAIN = base.Strategy()
_USUAL_WRITE = writing.WriteOptions()
_USUAL_DELETE = deleting.DeleteOptions()


class Verbs:
    """
    The verbs over one store; construct it once, it follows the CRDs in the store from then on.

    Every method raises `ApiError`. Objects handed out are shared: never mutate them.
    """

    def __init__(
        self,
        store: stores.Store,
        kinds: kinds_module.Kinds,
        schemas: schemas_module.Schemas,
        *,
        hooks: Sequence[admission.AdmissionHook] = (),
        clock: metadata.Clock = metadata.utc_now,
    ) -> None:
        self.store, self.kinds, self.schemas, self.clock = store, kinds, schemas, clock
        self.custom = custom_resources.CustomResources(store, kinds, schemas)
        self._strategies = table.build(store, kinds, clock)
        self._remover = deleting.Remover(store, custom=self.custom, hooks=hooks, clock=clock)
        self._writer = writing.Writer(store, schemas, remover=self._remover, hooks=hooks, clock=clock)

    def kind_of(self, resource: Resource) -> kinds_module.Kind:
        """The served kind; 404 when there is none."""
        kind = self.kinds.by_resource(resource)
        if kind is None:
            raise statuses.no_such_resource()
        return kind

    def get(self, resource: Resource, name: str, namespace: str = "") -> records.Stored:
        """The stored object; its `apiVersion` is the one it was written with (see `present`)."""
        return self._find(self.kind_of(resource), name, namespace)

    def list(
        self, resource: Resource, namespace: str = "", *, matches: selectors.Predicate | None = None
    ) -> Sequence[records.Stored]:
        """Stored objects in (namespace, name) order; `namespace` "" means all."""
        kind = self.kind_of(resource)
        found = self.store.list(group_resource(kind), namespace if kind.namespaced else "")
        return [stored for stored in found if matches(stored.object)] if matches else found

    def create(
        self,
        resource: Resource,
        body: Any,
        *,
        namespace: str = "",
        options: writing.WriteOptions = _USUAL_WRITE,
    ) -> writing.Written:
        """Create an object from a body that nobody has checked yet."""
        kind = self.kind_of(resource)
        written = self._writer.create(kind, self._strategy(kind), body, namespace=namespace, options=options)
        return _presented(kind, written)

    def update(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        body: Any,
        *,
        subresource: str = "",
        options: writing.WriteOptions = _USUAL_WRITE,
    ) -> writing.Written:
        """Replace an object, or through a subresource a part of it; conditional on `metadata.resourceVersion`."""
        kind = self.kind_of(resource)
        _check_subresource(kind, subresource)
        stored = self._find(kind, name, namespace)
        return self._write(kind, stored, body, subresource=subresource, options=options)

    def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        patch: Any,
        *,
        patch_type: PatchType,
        subresource: str = "",
        options: writing.WriteOptions = _USUAL_WRITE,
    ) -> writing.Written:
        """Apply a patch to the object as it is now and write the result."""
        kind = self.kind_of(resource)
        _check_subresource(kind, subresource)
        if patch_type == "strategic" and kind.is_custom:
            raise statuses.unsupported_media_type(
                ("application/json-patch+json", "application/merge-patch+json")
            )
        stored = self._find(kind, name, namespace)
        current = present(kind, stored.object)
        if subresource == "scale":
            current = scaling.scale_of(kind, current)
        body = self._apply_patch(kind, current, patch, patch_type)
        return self._write(kind, stored, body, subresource=subresource, options=options)

    def apply(
        self,
        resource: Resource,
        name: str,
        namespace: str,
        configuration: Any,
        *,
        force: bool = False,
        subresource: str = "",
        options: writing.WriteOptions = _USUAL_WRITE,
    ) -> writing.Written:
        """Apply a configuration as its manager's (server-side apply); creates the object when it is not there."""
        kind = self.kind_of(resource)
        _check_subresource(kind, subresource)
        stored = self.store.get(group_resource(kind), namespace if kind.namespaced else "", name)
        if stored is None and subresource:
            raise not_found(kind.resource, name)
        if subresource == "scale":
            configuration = applying.from_scale(kind, name, configuration)
        applying.check_configuration(kind, configuration)
        wanted, warnings = self._writer.check_configuration(kind, configuration, options)
        wanted = applying.part_of(kind, wanted, subresource)
        identity = {"name": name, "namespace": namespace} if kind.namespaced else {"name": name}
        wanted["metadata"] = {**identity, **wanted["metadata"]}
        uid = wanted["metadata"].get("uid")
        if stored is None and uid:
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(kind.resource, name, why)
        applied = self._merge_configuration(
            kind, stored, wanted, force=force, subresource=subresource, options=options
        )
        checked = dataclasses.replace(options, field_validation="Ignore")
        strategy = self._strategy(kind)
        if stored is None:
            written = self._writer.create(
                kind, strategy, applied.object, namespace=namespace, options=checked, owned=applied.entries
            )
        else:
            written = self._writer.update(
                kind,
                strategy,
                stored,
                applied.object,
                subresource=subresource,
                options=checked,
                owned=applied.entries,
            )
        written = dataclasses.replace(written, warnings=(*warnings, *written.warnings))
        if subresource == "scale":
            return dataclasses.replace(written, object=scaling.scale_of(kind, written.object))
        return _presented(kind, written)

    def _merge_configuration(
        self,
        kind: kinds_module.Kind,
        stored: records.Stored | None,
        wanted: JsonObject,
        *,
        force: bool,
        subresource: str,
        options: writing.WriteOptions,
    ) -> ownership.Applied:
        live: JsonObject = {}
        entries: managers.Entries = ()
        if stored is not None:
            entries = accounting.entries_of(stored.object)
            live = accounting.without(present(kind, stored.object))
        try:
            return ownership.apply(
                self.schemas.root(kind.group, kind.version, kind.kind),
                live,
                wanted,
                writer=managers.Writer(options.manager, "Apply", kind.api_version, subresource),
                entries=entries,
                force=force,
                now=metadata.timestamp(self.clock()),
            )
        except ownership.ConflictError as error:
            raise applying.conflict(error) from error
        except typed.ElementError as error:
            fields = wanted["metadata"]
            raise applying.malformed(kind, fields["name"], fields.get("namespace", ""), error) from error

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        options: deleting.DeleteOptions = _USUAL_DELETE,
    ) -> deleting.Deleted:
        """Delete an object as far as grace and finalizers allow now."""
        kind = self.kind_of(resource)
        deleted = self._remover.delete(kind, self._strategy(kind), self._find(kind, name, namespace), options)
        return deleting.Deleted(present(kind, deleted.object), deleted.is_gone, deleted.warnings)

    def delete_collection(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        matches: selectors.Predicate | None = None,
        options: deleting.DeleteOptions = _USUAL_DELETE,
    ) -> Sequence[JsonObject]:
        """Delete every object that matches; returns them as they were. The first refusal ends it."""
        kind = self.kind_of(resource)
        found = self.list(resource, namespace, matches=matches)
        for stored in found:
            self._remover.delete(kind, self._strategy(kind), stored, options)
        return [present(kind, stored.object) for stored in found]

    def bind(self, namespace: str, name: str, node: str) -> None:
        """Put a pod on a node; 409 when it is on one already."""
        kind = self.kind_of(PODS)
        stored = self._find(kind, name, namespace)
        if placed := stored.object["spec"].get("nodeName"):
            why = f'pod {name} is already assigned to node "{placed}"'
            message = f'Operation cannot be fulfilled on pods/binding "{name}": {why}'
            raise ApiError(409, "Conflict", message, details={"name": name, "kind": "pods/binding"})
        body = {**stored.object, "spec": {**stored.object["spec"], "nodeName": node}}
        self._write(kind, stored, body, subresource="", options=_USUAL_WRITE)

    def _write(
        self,
        kind: kinds_module.Kind,
        stored: records.Stored,
        body: Any,
        *,
        subresource: str,
        options: writing.WriteOptions,
    ) -> writing.Written:
        strategy = self._strategy(kind)
        if subresource == "scale":
            body = scaling.scaled(kind, present(kind, stored.object), body)
            written = self._writer.update(kind, strategy, stored, body, subresource="scale", options=options)
            return dataclasses.replace(written, object=scaling.scale_of(kind, written.object))
        return _presented(
            kind,
            self._writer.update(kind, strategy, stored, body, subresource=subresource, options=options),
        )

    def _apply_patch(
        self, kind: kinds_module.Kind, current: JsonObject, patch: Any, patch_type: PatchType
    ) -> Any:
        try:
            if patch_type == "json":
                return patching.apply_json_patch(current, patch)
            if patch_type == "merge":
                return patching.apply_merge_patch(current, patch)
            return patching.apply_strategic_merge_patch(self.schemas, kind, current, patch)
        except patching.PatchError as error:
            message = f"the server rejected our request due to an error in our request: {error}"
            raise ApiError(422, "Invalid", message) from error

    def _find(self, kind: kinds_module.Kind, name: str, namespace: str) -> records.Stored:
        stored = self.store.get(group_resource(kind), namespace if kind.namespaced else "", name)
        if stored is None:
            raise not_found(kind.resource, name)
        return stored

    def _strategy(self, kind: kinds_module.Kind) -> base.Strategy:
        return self._strategies.get((kind.group, kind.plural), _PLAIN)


def group_resource(kind: kinds_module.Kind) -> records.GroupResource:
    """Where objects of a kind are stored, whatever the version."""
    return records.GroupResource(*kind.storage)


def present(kind: kinds_module.Kind, obj: JsonObject) -> JsonObject:
    """The object in the kind's version: `apiVersion` rewritten, nothing converted."""
    api_version = kind.resource.api_version
    return obj if obj.get("apiVersion") == api_version else {**obj, "apiVersion": api_version}


def _presented(kind: kinds_module.Kind, written: writing.Written) -> writing.Written:
    return dataclasses.replace(written, object=present(kind, written.object))


def _check_subresource(kind: kinds_module.Kind, subresource: str) -> None:
    if subresource and (
        subresource not in kind.subresources or subresource not in {"status", "scale", "finalize"}
    ):
        raise statuses.no_such_resource()
