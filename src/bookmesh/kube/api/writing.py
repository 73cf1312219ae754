"""
The way of an object into the store, the same for HTTP and for callers in this process.

decoded -> unknown fields reported or pruned -> metadata -> defaults -> strategy -> admission that changes -> defaults
(for what it added) -> schema and rules -> admission that only refuses -> scarce values (addresses) -> store. A write
that changes nothing is none. While webhooks are asked others may write: then `VersionMismatch` or `Missing` is raised,
and `Verbs` starts again from what is stored now.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from bookmesh.base.kubernetes import ApiError, JsonObject, copy_json
from bookmesh.kube.api import (
    accounting,
    admission,
    authentication,
    bodies,
    deleting,
    metadata,
    parts,
    scaling,
    statuses,
)
from bookmesh.kube.api.strategies import base
from bookmesh.kube.schema import (
    causes,
    conversions,
    defaulting,
    mistyped,
    rules,
    strictness,
    validation,
    validation_rules,
)
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.schema.ownership import managers
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

FieldValidation = Literal["Ignore", "Warn", "Strict"]

_NAMESPACES: Final = records.GroupResource("", "namespaces")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """
    Query parameters of a write, and who makes it; unknown fields are dropped unless Strict is asked for.

    `manager` will own fields. `is_own` is for what the server itself lays down: no webhook is asked about it.
    """

    dry_run: bool = False
    field_validation: FieldValidation = "Warn"
    manager: str = "unknown"
    user: authentication.User = authentication.SERVER
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """The object as stored (or as it would be, in a dry run) and what the user should be told."""

    object: JsonObject
    warnings: tuple[str, ...] = ()
    is_new: bool = False


class Writer:
    """Creates and updates; `Verbs` finds kinds, strategies and stored objects for it."""

    def __init__(
        self,
        store: stores.Store,
        schemas: schemas_module.Schemas,
        *,
        remover: deleting.Remover,
        admission: admission.Admission,
        clock: metadata.Clock,
    ) -> None:
        self._store, self._schemas, self._remover = store, schemas, remover
        self._admission, self._clock = admission, clock

    async def create(
        self,
        kind: kinds_module.Kind,
        strategy: base.Strategy,
        body: Any,
        *,
        namespace: str,
        options: WriteOptions,
        owned: managers.Entries | None = None,
    ) -> Written:
        """
        Store a new object; `namespace` is what the request says, "" when only the body does.

        `owned` says who owns which fields; None means that the writer owns all of them.
        """
        obj, warnings = self._decode(kind, body, options)
        namespace = bodies.namespace_for(kind, obj, namespace)
        if obj["metadata"].get("resourceVersion"):
            raise statuses.bad_request("resourceVersion should not be set on objects to be created")
        self._check_namespace(kind, obj, namespace)
        metadata.prepare_create(
            obj, namespace=namespace, now=self._clock(), has_generation=metadata.has_generation(kind)
        )
        parts.drop_status(kind, obj)
        strategy.record_user(obj, options.user)
        defaulting.apply_defaults(self._schemas, kind, obj)
        strategy.prepare_create(obj)
        request = _request(kind, obj, None, options)
        obj, admitted = await self._mutated(kind, obj, request)
        admitted += self._check_rules(kind, obj, None)
        admitted += await self._admission.validate(dataclasses.replace(request, object=obj))
        if owned is None:
            owned = self._owned_after(kind, (), ({}, obj), options)
        accounting.record(obj, owned)
        strategy.allocate(obj, None)
        group_resource, name = records.GroupResource(*kind.storage), obj["metadata"]["name"]
        if self._store.get(group_resource, namespace, name) is not None:
            raise statuses.already_exists(kind.resource, name)
        if not options.dry_run:
            obj = self._store.create(group_resource, namespace, name, obj).object
        return Written(obj, (*warnings, *admitted, *strategy.warnings(obj)), is_new=True)

    async def update(
        self,
        kind: kinds_module.Kind,
        strategy: base.Strategy,
        stored: records.Stored,
        body: Any,
        *,
        subresource: str,
        options: WriteOptions,
        owned: managers.Entries | None = None,
    ) -> Written:
        """
        Replace a stored object, or the part of it that `subresource` (status, finalize, scale, "") owns.

        `stored` comes in the version of `kind`; it stays stored in the version it was created in.
        `owned` says who owns which fields; None means that the writer owns what it changes.
        """
        obj, warnings = self._decode(kind, body, options)
        bodies.check_identity(kind, obj, stored)
        requested = obj["metadata"].get("managedFields")
        # A scale has been put into the object that it is about.
        part = "" if subresource == "scale" else subresource
        if part:
            obj = parts.with_part(stored.object, obj, part)
            strategy.prepare_part(obj, part)
        elif parts.has_status(kind):
            parts.keep_status(obj, stored.object)
        metadata.prepare_update(obj, stored.object)
        defaulting.apply_defaults(self._schemas, kind, obj)
        if not part:
            strategy.prepare_update(obj, stored.object)
        request = _request(kind, obj, stored.object, options, subresource=subresource)
        admitted: tuple[str, ...] = ()
        if subresource == "scale":
            request = _about_scale(kind, request)
        else:
            obj, admitted = await self._mutated(kind, obj, request)
            request = dataclasses.replace(request, object=obj)
        admitted += self._check_rules(kind, obj, stored.object)
        admitted += await self._admission.validate(request)
        if owned is None:
            before = accounting.entries_before(requested, stored.object, is_subresource=bool(subresource))
            owned = self._owned_after(kind, before, (stored.object, obj), options, subresource=subresource)
        accounting.record(obj, owned, old=stored.object)
        if not part:
            strategy.allocate(obj, stored.object)
        told = () if part else strategy.warnings(obj)
        return Written(self._commit(kind, strategy, stored, obj, options), (*warnings, *admitted, *told))

    def _owned_after(
        self,
        kind: kinds_module.Kind,
        entries: managers.Entries,
        objects: tuple[JsonObject, JsonObject],
        options: WriteOptions,
        *,
        subresource: str = "",
    ) -> managers.Entries:
        writer = managers.Writer(options.manager, "Update", kind.api_version, subresource)
        now = metadata.timestamp(self._clock())
        return accounting.entries_after(self._schemas, kind, entries, objects, writer=writer, now=now)

    def check_configuration(
        self, kind: kinds_module.Kind, body: Any, options: WriteOptions
    ) -> tuple[JsonObject, tuple[str, ...]]:
        """
        Check an applied configuration, which need not be a whole object.

        Returns:
            A copy of it in the kind's shape, and warnings about unknown fields.
        """
        obj, unknown = self._decode_known(kind, body, options)
        self._check_types(kind, obj)
        return obj, unknown

    def _commit(
        self,
        kind: kinds_module.Kind,
        strategy: base.Strategy,
        stored: records.Stored,
        obj: JsonObject,
        options: WriteOptions,
    ) -> JsonObject:
        old = stored.object
        is_changed = metadata.is_specification_changed(obj, old, has_status=parts.has_status(kind))
        if is_changed and metadata.has_generation(kind):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if obj == old:
            return old
        if options.dry_run:
            return obj
        kept = self._store.get(stored.group_resource, stored.namespace, stored.name)
        if kept is not None:
            obj = conversions.convert(obj, kept.object["apiVersion"])
        if self._remover.is_released(obj, strategy):
            self._remover.remove(stored)
            return obj
        return self._store.update(
            stored.group_resource, stored.namespace, stored.name, obj, expected=stored.version
        ).object

    def _decode(
        self, kind: kinds_module.Kind, body: Any, options: WriteOptions
    ) -> tuple[JsonObject, tuple[str, ...]]:
        """Copy the body and bring it into the kind's shape; returns it with warnings about unknown fields."""
        obj, unknown = self._decode_known(kind, body, options)
        # Defaults and strategies rely on the schema; a custom object may still lack what has a default.
        if kind.is_custom:
            self._check_types(kind, obj)
        else:
            self._check_schema(kind, obj)
        return obj, unknown

    def _decode_known(
        self, kind: kinds_module.Kind, body: Any, options: WriteOptions
    ) -> tuple[JsonObject, tuple[str, ...]]:
        if isinstance(body, dict) and not isinstance(body.get("metadata") or {}, dict):
            self._check_decodes(kind, body)
        obj = bodies.read(kind, body)
        unknown: list[str] = []
        if options.field_validation != "Ignore":
            paths = strictness.unknown_fields(self._schemas, kind, obj)
            unknown = [f'unknown field "{path}"' for path in paths]
        if unknown and options.field_validation == "Strict":
            self._check_decodes(kind, obj)
            raise bodies.strict_error(kind, unknown)
        strictness.prune(self._schemas, kind, obj)
        return obj, tuple(unknown)

    def _check_types(self, kind: kinds_module.Kind, obj: JsonObject) -> None:
        found = validation.check(self._schemas, kind, obj)
        wrong = [cause for cause in found if cause.reason == "FieldValueTypeInvalid"]
        if wrong:
            raise self._invalid(kind, obj, wrong)

    def check_patched(self, kind: kinds_module.Kind, obj: Any) -> None:
        """Raise 422 about the patch where what it makes of an object could not be decoded."""
        if kind.is_custom or not isinstance(obj, dict):
            return
        try:
            mistyped.check(self._schemas, kind, obj)
        except mistyped.MistypedError as error:
            cause = causes.invalid("patch", orjson.dumps(obj).decode(), str(error))
            raise statuses.invalid(group="", kind="", name="", causes=[cause]) from error

    def _check_decodes(self, kind: kinds_module.Kind, obj: JsonObject) -> None:
        """Raise 400 for what a real server could not decode into the structures of a built-in kind."""
        if kind.is_custom:
            return
        try:
            mistyped.check(self._schemas, kind, obj)
        except mistyped.MistypedError as error:
            raise statuses.bad_request(
                f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}'
            ) from error

    def _check_namespace(self, kind: kinds_module.Kind, obj: JsonObject, namespace: str) -> None:
        if not kind.namespaced:
            return
        stored = self._store.get(_NAMESPACES, "", namespace)
        if stored is None:
            raise ApiError(
                404,
                "NotFound",
                f'namespaces "{namespace}" not found',
                details={"name": namespace, "kind": "namespaces"},
            )
        if "deletionTimestamp" in stored.object["metadata"]:
            name = obj["metadata"].get("name") or obj["metadata"].get("generateName", "")
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            raise ApiError(
                403,
                "Forbidden",
                f'{kind.resource.qualified} "{name}" is forbidden: {why}',
                details={"name": name, "group": kind.group, "kind": kind.plural, "causes": [cause]},
            )

    async def _mutated(
        self, kind: kinds_module.Kind, obj: JsonObject, request: admission.AdmissionRequest
    ) -> tuple[JsonObject, tuple[str, ...]]:
        review = await self._admission.mutate(request)
        if review.object is obj:
            return obj, review.warnings
        admitted = copy_json(review.object)
        self._check_admitted(kind, admitted)
        defaulting.apply_defaults(self._schemas, kind, admitted)
        return admitted, review.warnings

    def _check_admitted(self, kind: kinds_module.Kind, obj: JsonObject) -> None:
        """Raise 500 for what admission made of a built-in object if it cannot be decoded, else 422 if it is wrong."""
        found = validation.check(self._schemas, kind, obj)
        if found and not kind.is_custom:
            try:
                mistyped.check(self._schemas, kind, obj)
            except mistyped.MistypedError as error:
                raise statuses.internal(str(error)) from error
        if found:
            raise self._invalid(kind, obj, found)

    def _check_schema(self, kind: kinds_module.Kind, obj: JsonObject) -> None:
        found = validation.check(self._schemas, kind, obj)
        if found:
            self._check_decodes(kind, obj)
            raise self._invalid(kind, obj, found)

    def _check_rules(
        self, kind: kinds_module.Kind, obj: JsonObject, old: JsonObject | None
    ) -> tuple[str, ...]:
        """
        Check the finished object; a built-in one has passed its schema, and defaults keep to it.

        Returns warnings.
        """
        found: list[causes.Cause] = []
        warnings: list[str] = []
        if kind.is_custom:
            found = validation.check(self._schemas, kind, obj)
            stated = validation_rules.check_after(found, self._schemas, kind, obj, old)
            found, warnings = [*found, *stated.wrong], stated.warnings
        found += rules.check(kind, obj, old)
        if found:
            raise self._invalid(kind, obj, found)
        return tuple(warnings)

    def _invalid(
        self, kind: kinds_module.Kind, obj: JsonObject, found: Sequence[statuses.CauseLike]
    ) -> ApiError:
        name = obj["metadata"].get("name") or ""
        return statuses.invalid(group=kind.group, kind=kind.kind, name=str(name), causes=found)


def _request(
    kind: kinds_module.Kind,
    obj: JsonObject,
    old: JsonObject | None,
    options: WriteOptions,
    *,
    subresource: str = "",
) -> admission.AdmissionRequest:
    operation: admission.Operation = "CREATE" if old is None else "UPDATE"
    shown: JsonObject = {
        "kind": f"{operation.title()}Options",
        "apiVersion": "meta.k8s.io/v1",
        "fieldManager": options.manager,
        "fieldValidation": options.field_validation,
    }
    return admission.AdmissionRequest(
        operation=operation,
        resource=kind.resource,
        namespace=obj["metadata"].get("namespace", ""),
        name=obj["metadata"].get("name", ""),
        object=obj,
        old=old,
        dry_run=options.dry_run,
        kind=kind.kind,
        subresource=subresource,
        user=options.user,
        options={**shown, "dryRun": ["All"]} if options.dry_run else shown,
        is_own=options.is_own,
    )


def _about_scale(kind: kinds_module.Kind, request: admission.AdmissionRequest) -> admission.AdmissionRequest:
    """What webhooks hear of a change of scale is about the `Scale`, not the object that it changes."""
    old = scaling.scale_of(kind, request.old) if request.old else None
    return dataclasses.replace(request, kind="Scale", object=scaling.scale_of(kind, request.object), old=old)
