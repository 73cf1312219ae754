"""
What can be done to objects, without HTTP: get, list, create, update, patch, delete.

Everything runs on the event loop's thread. Where no webhook is asked a call is one atomic step: a patch never meets a
write that came in between. Where one is asked, others may write meanwhile; then the call starts again from what is
stored now, unless it was conditional on what was stored before.

The verbs that write exist twice: `request_create` and its like are awaited; `create` and its like are for those who
write where no webhooks are, and have the result at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from bookmesh.base.kubernetes import PODS, ApiError, JsonObject, PatchType, Resource, conflict, not_found
from bookmesh.kube.api import (
    admission,
    applying,
    computed,
    custom_resources,
    deleting,
    immediate,
    limiting,
    metadata,
    parts,
    pod_security,
    scaling,
    selectors,
    service_network,
    statuses,
    writing,
)
from bookmesh.kube.api.policies import policies
from bookmesh.kube.api.strategies import base, certificate_requests, table
from bookmesh.kube.api.webhooks import chain
from bookmesh.kube.schema import conversions, patching
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.schema.ownership import managers
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_PLAIN = base.Strategy()
_USUAL_WRITE = writing.WriteOptions()
_USUAL_DELETE = deleting.DeleteOptions()
Result = TypeVar("Result")


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
        sources: Mapping[Resource, computed.Source] | None = None,
        signer: certificate_requests.Signer | None = None,
        clock: metadata.Clock = metadata.utc_now,
    ) -> None:
        """`sources` makes the objects of kinds that are not stored."""
        self.store, self.kinds, self.schemas, self.clock = store, kinds, schemas, clock
        hooks = (pod_security.PodSecurity(store), *hooks, limiting.LimitRanger(store))
        self._computed = computed.Computed(sources or {})
        self.custom = custom_resources.CustomResources(store, kinds, schemas)
        self._strategies = table.build(store, kinds, clock, signer, schemas=schemas)
        self.network = service_network.ServiceNetwork(store)
        self.webhooks = chain.Webhooks(store, kinds, self.network)
        self.admission = admission.Admission(
            hooks,
            self.webhooks,
            policies=policies.Policies(store, kinds, schemas),
            last=(limiting.QuotaKeeper(store),),
        )
        self._remover = deleting.Remover(store, custom=self.custom, admission=self.admission, clock=clock)
        self._writer = writing.Writer(
            store, schemas, remover=self._remover, admission=self.admission, clock=clock
        )

    def kind_of(self, resource: Resource) -> kinds_module.Kind:
        """The served kind; 404 when there is none."""
        kind = self.kinds.by_resource(resource)
        if kind is None:
            raise statuses.no_such_resource()
        return kind

    def is_computed(self, kind: kinds_module.Kind) -> bool:
        """Whether objects of a kind are made when somebody asks, and not stored."""
        return kind.resource in self._computed

    def get(self, resource: Resource, name: str, namespace: str = "") -> records.Stored:
        """The stored object; its `apiVersion` is the one it was written with (see `present`)."""
        return self._find(self.kind_of(resource), name, namespace)

    def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        matches: selectors.Predicate | None = None,
        version: int | None = None,
    ) -> Sequence[records.Stored]:
        """
        Stored objects in (namespace, name) order; `namespace` "" means all.

        `version` asks for how they were then; raises `records.Expired` when that is not known any more.
        """
        kind = self.kind_of(resource)
        namespace = namespace if kind.namespaced else ""
        found: Sequence[records.Stored]
        if resource in self._computed:
            found = self._computed.list(resource, namespace)
        elif version is None:
            found = self.store.list(group_resource(kind), namespace)
        else:
            found = self.store.list_at(group_resource(kind), namespace, version=version)
        return [stored for stored in found if matches(stored.object)] if matches else found

    async def request_create(
        self,
        resource: Resource,
        body: Any,
        *,
        namespace: str = "",
        options: writing.WriteOptions = _USUAL_WRITE,
    ) -> writing.Written:
        """Create an object from a body that nobody has checked yet."""
        kind = self.kind_of(resource)
        written = await self._create(kind, body, namespace=namespace, options=options)
        return _presented(kind, written)

    async def request_update(
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

        async def attempt() -> writing.Written:
            stored = self._find(kind, name, namespace)
            return await self._write(kind, stored, body, subresource=subresource, options=options)

        return await _until_undisturbed(attempt)

    async def request_patch(
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

        async def attempt() -> writing.Written:
            stored = self._find(kind, name, namespace)
            current = present(kind, stored.object)
            if subresource == "scale":
                current = scaling.scale_of(kind, current)
            body = self._apply_patch(kind, current, patch, patch_type)
            if subresource != "scale":
                self._writer.check_patched(kind, body)
            return await self._write(kind, stored, body, subresource=subresource, options=options)

        return await _until_undisturbed(attempt)

    async def request_apply(
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
        if subresource == "scale":
            configuration = applying.from_scale(kind, name, configuration)
        applying.check_configuration(kind, configuration)
        wanted, warnings = self._writer.check_configuration(kind, configuration, options)
        wanted = applying.part_of(kind, wanted, subresource)
        identity = {"name": name, "namespace": namespace} if kind.namespaced else {"name": name}
        wanted["metadata"] = {**identity, **wanted["metadata"]}

        async def attempt() -> writing.Written:
            stored = self.store.get(group_resource(kind), namespace if kind.namespaced else "", name)
            stored = stored and _in_version(kind, stored)
            if stored is None and subresource:
                raise not_found(kind.resource, name)
            return await self._apply(
                kind, stored, wanted, force=force, subresource=subresource, options=options
            )

        written = await _until_undisturbed(attempt)
        written = dataclasses.replace(written, warnings=(*warnings, *written.warnings))
        if subresource == "scale":
            return dataclasses.replace(written, object=scaling.scale_of(kind, written.object))
        return _presented(kind, written)

    async def _apply(
        self,
        kind: kinds_module.Kind,
        stored: records.Stored | None,
        wanted: JsonObject,
        *,
        force: bool,
        subresource: str,
        options: writing.WriteOptions,
    ) -> writing.Written:
        fields = wanted["metadata"]
        if stored is None and fields.get("uid"):
            why = (
                f"uid mismatch: the provided object specified uid {fields['uid']}, "
                "and no existing object was found"
            )
            raise conflict(kind.resource, fields["name"], why)
        applied = applying.merge(
            self.schemas,
            kind,
            stored.object if stored else None,
            wanted,
            writer=managers.Writer(options.manager, "Apply", kind.api_version, subresource),
            force=force,
            now=metadata.timestamp(self.clock()),
        )
        checked = dataclasses.replace(options, field_validation="Ignore")
        if stored is None:
            namespace = fields.get("namespace", "")
            return await self._create(
                kind, applied.object, namespace=namespace, options=checked, owned=applied.entries
            )
        return await self._writer.update(
            kind,
            self._strategy(kind),
            stored,
            applied.object,
            subresource=subresource,
            options=checked,
            owned=applied.entries,
        )

    async def request_delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        options: deleting.DeleteOptions = _USUAL_DELETE,
    ) -> deleting.Deleted:
        """Delete an object as far as grace and finalizers allow now."""
        kind = self.kind_of(resource)

        async def attempt() -> deleting.Deleted:
            stored = self._find(kind, name, namespace)
            return await self._remover.delete(kind, self._strategy(kind), stored, options)

        deleted = await _until_undisturbed(attempt)
        return deleting.Deleted(present(kind, deleted.object), deleted.is_gone, deleted.warnings)

    async def request_delete_collection(
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
            try:
                await self.request_delete(resource, stored.name, stored.namespace, options=options)
            except ApiError as error:
                if error.reason != "NotFound":  # somebody else deleted it while webhooks were asked
                    raise
        return [present(kind, stored.object) for stored in found]

    async def request_bind(
        self, namespace: str, name: str, node: str, *, options: writing.WriteOptions = _USUAL_WRITE
    ) -> None:
        """Put a pod on a node; 409 when it is on one already."""
        kind = self.kind_of(PODS)
        stored = self._find(kind, name, namespace)
        if placed := stored.object["spec"].get("nodeName"):
            why = f'pod {name} is already assigned to node "{placed}"'
            message = f'Operation cannot be fulfilled on pods/binding "{name}": {why}'
            raise ApiError(409, "Conflict", message, details={"name": name, "kind": "pods/binding"})
        fields = {**stored.object["metadata"], "resourceVersion": str(stored.version)}
        body = {**stored.object, "metadata": fields, "spec": {**stored.object["spec"], "nodeName": node}}
        await self.request_update(PODS, name, namespace, body, options=options)

    create = immediate.at_once(request_create)
    update = immediate.at_once(request_update)
    patch = immediate.at_once(request_patch)
    apply = immediate.at_once(request_apply)
    delete = immediate.at_once(request_delete)
    delete_collection = immediate.at_once(request_delete_collection)
    bind = immediate.at_once(request_bind)

    async def _create(
        self,
        kind: kinds_module.Kind,
        body: Any,
        *,
        namespace: str,
        options: writing.WriteOptions,
        owned: managers.Entries | None = None,
    ) -> writing.Written:
        strategy = self._strategy(kind)
        return await self._writer.create(
            kind, strategy, body, namespace=namespace, options=options, owned=owned
        )

    async def _write(
        self,
        kind: kinds_module.Kind,
        stored: records.Stored,
        body: Any,
        *,
        subresource: str,
        options: writing.WriteOptions,
    ) -> writing.Written:
        strategy = self._strategy(kind)
        stored = _in_version(kind, stored)
        if subresource == "scale":
            body = scaling.scaled(kind, stored.object, body)
            written = await self._writer.update(
                kind, strategy, stored, body, subresource="scale", options=options
            )
            return dataclasses.replace(written, object=scaling.scale_of(kind, written.object))
        written = await self._writer.update(
            kind, strategy, stored, body, subresource=subresource, options=options
        )
        return _presented(kind, written)

    def _apply_patch(
        self, kind: kinds_module.Kind, current: JsonObject, patch: Any, patch_type: PatchType
    ) -> Any:
        _check_patch_form(patch, patch_type)
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
        namespace = namespace if kind.namespaced else ""
        if kind.resource in self._computed:
            stored = self._computed.get(kind.resource, namespace, name)
        else:
            stored = self.store.get(group_resource(kind), namespace, name)
        if stored is None:
            raise not_found(kind.resource, name)
        return stored

    def _strategy(self, kind: kinds_module.Kind) -> base.Strategy:
        return self._strategies.get((kind.group, kind.plural), _PLAIN)


async def _until_undisturbed(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Try again whenever somebody else wrote the same object while webhooks were asked about it."""
    while True:
        try:
            return await attempt()
        except (records.VersionMismatch, records.Missing):
            continue


def group_resource(kind: kinds_module.Kind) -> records.GroupResource:
    """Where objects of a kind are stored, whatever the version."""
    return records.GroupResource(*kind.storage)


def present(kind: kinds_module.Kind, obj: JsonObject) -> JsonObject:
    """The object in the kind's version."""
    return conversions.convert(obj, kind.api_version)


def _in_version(kind: kinds_module.Kind, stored: records.Stored) -> records.Stored:
    return dataclasses.replace(stored, object=present(kind, stored.object))


def _check_patch_form(patch: Any, patch_type: PatchType) -> None:
    """Raise 400 for a patch that is a list in place of an object, and the like."""
    if isinstance(patch, list if patch_type == "json" else dict):
        return
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    wanted = "[]handlers.jsonPatchOp" if patch_type == "json" else "map[string]interface {}"
    found = names.get(type(patch), "null")
    prefix = "" if patch_type == "strategic" else "error decoding patch: "
    raise statuses.bad_request(f"{prefix}json: cannot unmarshal {found} into Go value of type {wanted}")


def _presented(kind: kinds_module.Kind, written: writing.Written) -> writing.Written:
    return dataclasses.replace(written, object=present(kind, written.object))


def _check_subresource(kind: kinds_module.Kind, subresource: str) -> None:
    if subresource and (subresource not in kind.subresources or subresource not in parts.WRITTEN):
        raise statuses.no_such_resource()
