"""From a Kubernetes object to a structure, or to findings that name the field."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
import orjson

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import acting, base, kinds
from bookmesh.mesh.model.gateway_api import kinds as gateway_kinds

_NO_EFFECT: Final = "it has no effect until then"
_KEPT: Final = "until then what it said before is in force"
_WORD_START: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WHERE: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parsed:
    """
    One configuration object. `spec` is None when it could not be parsed; `findings` then say why.

    Two with the same `digest` have the same content, and only that and findings are compared. `is_derived`: the mesh
    made it from an object of another kind, which `ref` names; only its own `findings` are of use to people. `origins`
    are all objects that it was made from, when they are several; `api` is group and version of `ref`.
    """

    ref: ObjectRef
    digest: str
    metadata: base.Metadata = field(compare=False)
    spec: base.Model | None = field(compare=False)
    findings: tuple[Finding, ...] = ()
    is_derived: bool = field(default=False, compare=False)
    origins: tuple[ObjectRef, ...] = field(default=(), compare=False)
    api: str = field(default=f"{kinds.NETWORKING}/{kinds.VERSIONS[0]}", compare=False)

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        """The objects of people behind this one, never empty."""
        return self.origins or (self.ref,)

    @property
    def path(self) -> str:
        """The object in Istio's spelling for config dumps: `/apis/GROUP/VERSION/namespaces/NAMESPACE/KIND/NAME`."""
        kind, name = type(self.spec).__name__, self.metadata.name
        if self.origins:
            kind, name = self.ref.kind, self.ref.name
        word = _WORD_START.sub("-", kind).lower()
        return f"/apis/{self.api}/namespaces/{self.ref.namespace}/{word}/{name}"


def parse(obj: JsonObject) -> Parsed:
    """
    Parse one object of a kind of Istio or of the Gateway API.

    Raises:
        ValueError: the object is of another kind, or has no name.
    """
    kind = kind_for(obj)
    if kind is None:
        raise ValueError(f"{obj.get('apiVersion')} {obj.get('kind')} is not a kind of this mesh")
    metadata = _parse_metadata(obj)
    ref = ObjectRef(kind.name, metadata.name, metadata.namespace if kind.is_namespaced else "")
    spec, findings = _parse_spec(kind, ref, obj.get("spec") or {})
    return Parsed(
        ref=ref,
        digest=_digest(obj),
        metadata=metadata,
        spec=spec,
        findings=findings,
        api=kind.resource.api_version,
    )


def over(before: Parsed, after: Parsed) -> Parsed:
    """
    What is in force when an object of Istio's changes: the new version, or while that cannot be used the one before.

    An object of the Gateway API has a status that says what became of it, so there only what is written counts.
    """
    is_istio = any(kind.name == after.ref.kind for kind in kinds.KINDS)
    if after.spec is not None or before.spec is None or not is_istio:
        return after
    findings = tuple(
        replace(finding, hint=finding.hint.replace(_NO_EFFECT, _KEPT)) for finding in after.findings
    )
    return replace(after, spec=before.spec, findings=findings)


def kind_for(obj: JsonObject) -> kinds.Kind | None:
    """The kind of an object, if it is one that the mesh reads."""
    return kinds.kind_for(
        obj.get("apiVersion", ""), obj.get("kind", ""), (*kinds.KINDS, *gateway_kinds.KINDS)
    )


def _parse_metadata(obj: JsonObject) -> base.Metadata:
    try:
        metadata = msgspec.convert(
            {key: value for key, value in obj.get("metadata", {}).items() if value is not None}, base.Metadata
        )
    except msgspec.ValidationError as error:
        raise ValueError(f"metadata of {obj.get('kind')}: {error}") from error
    return metadata


def _parse_spec(
    kind: kinds.Kind, ref: ObjectRef, raw: JsonObject
) -> tuple[base.Model | None, tuple[Finding, ...]]:
    try:
        spec = msgspec.convert(raw, kind.spec)
    except msgspec.ValidationError as error:
        return None, (_unparsable(kind, ref, str(error)),)
    if not kind.is_acted_on:
        return spec, (_no_effect(ref),)
    return spec, tuple(_not_acted_on(ref, path) for path in acting.fields_not_acted_on(spec, "spec"))


def _unparsable(kind: kinds.Kind, ref: ObjectRef, error: str) -> Finding:
    found = _WHERE.match(error)
    what, path = (found["what"], found["path"] or "") if found else (error, "")
    what = what[:1].lower() + what[1:]
    return Finding(
        code="BM0201",
        message=f"{ref} cannot be used: {what}",
        subject=ref,
        where=f"spec{path}",
        hint=f"`kubectl explain {kind.kind.lower()}.spec --recursive` shows the fields; {_NO_EFFECT}",
    )


def _no_effect(ref: ObjectRef) -> Finding:
    return Finding(
        code="BM0205",
        message=f"{ref} has no effect: this mesh does not act on objects of kind {ref.kind} yet",
        subject=ref,
        where="spec",
        known=", ".join(kind.kind for kind in kinds.KINDS if kind.is_acted_on),
        severity="warning",
    )


def _not_acted_on(ref: ObjectRef, path: str) -> Finding:
    return Finding(
        code="BM0205",
        message=f"{ref} sets {path.rpartition('.')[2]}, which this mesh does not act on yet",
        subject=ref,
        where=path,
        hint="the rest of the object is in force; leave the field out to silence this warning",
        severity="warning",
    )


def _digest(obj: JsonObject) -> str:
    """Cover all that can influence a translation: everything but status and bookkeeping of the API server."""
    metadata = obj.get("metadata", {})
    kept = {
        key: metadata.get(key) for key in ("name", "namespace", "labels", "annotations", "creationTimestamp")
    }
    content = orjson.dumps([obj.get("kind"), kept, obj.get("spec")], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).hexdigest()
