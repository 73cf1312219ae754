"""Which kinds are served: the built-in table plus what CustomResourceDefinitions add."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.schema import builtin_kinds
from bookmesh.kube.store.records import GroupResource

ALL_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column of a CRD (`additionalPrinterColumns`); priority 0 is always shown, others with `-o wide`."""

    name: str
    type: str
    json_path: str
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a custom kind keeps what its `Scale` shows, as steps; no steps where it has no selector."""

    spec_replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    selector: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One served version of one resource."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    columns: tuple[Column, ...] | None = None
    is_custom: bool = False
    is_storage_version: bool = True
    scale: ScalePaths = ScalePaths(("spec", "replicas"), ("status", "replicas"))
    selectable_fields: tuple[str, ...] = ()
    """Dotted paths of a custom kind by which field selectors may choose, besides name and namespace."""

    @property
    def resource(self) -> Resource:
        return Resource(self.group, self.version, self.plural)

    @property
    def storage(self) -> GroupResource:
        return GroupResource(self.group, self.plural)

    @property
    def api_version(self) -> str:
        return self.resource.api_version


class Subresource(NamedTuple):
    """What lies below an object: the verbs it takes, and the kind of its bodies (group, version, kind)."""

    name: str
    verbs: tuple[str, ...]
    body: tuple[str, str, str]


_READ_WRITE: Final = ("get", "patch", "update")
_SCALE: Final = Subresource("scale", _READ_WRITE, ("autoscaling", "v1", "Scale"))
_SUBRESOURCES: Final[dict[tuple[str, str], Subresource]] = {
    ("pods", "log"): Subresource("log", ("get",), ("", "v1", "Pod")),
    ("pods", "exec"): Subresource("exec", ("create", "get"), ("", "v1", "PodExecOptions")),
    ("pods", "attach"): Subresource("attach", ("create", "get"), ("", "v1", "PodAttachOptions")),
    ("pods", "portforward"): Subresource(
        "portforward", ("create", "get"), ("", "v1", "PodPortForwardOptions")
    ),
    ("pods", "binding"): Subresource("binding", ("create",), ("", "v1", "Binding")),
    ("pods", "ephemeralcontainers"): Subresource("ephemeralcontainers", _READ_WRITE, ("", "v1", "Pod")),
    ("pods", "eviction"): Subresource("eviction", ("create",), ("policy", "v1", "Eviction")),
    ("serviceaccounts", "token"): Subresource(
        "token", ("create",), ("authentication.k8s.io", "v1", "TokenRequest")
    ),
    ("certificatesigningrequests", "approval"): Subresource(
        "approval", _READ_WRITE, ("certificates.k8s.io", "v1", "CertificateSigningRequest")
    ),
    ("namespaces", "finalize"): Subresource("finalize", ("update",), ("", "v1", "Namespace")),
}


def parse_table(table: str) -> tuple[Kind, ...]:
    """Parse a table of kinds; `builtin_kinds` tells its columns."""
    found: dict[tuple[str, str], Kind] = {}
    kinds: list[Kind] = []
    for line in table.strip().splitlines():
        api_version, kind, plural, scope, *names = line.split()
        short, categories, subresources, verbs = (
            tuple(text.split(",")) if text != "-" else () for text in names
        )
        group, _, version = api_version.rpartition("/")
        parsed = Kind(
            group=group,
            version=version,
            kind=kind,
            plural=plural,
            singular=kind.lower(),
            namespaced=scope == "n",
            short_names=short,
            categories=categories,
            subresources=subresources,
            verbs=verbs or ALL_VERBS,
            is_storage_version=(group, plural) not in found,
        )
        found.setdefault((group, plural), parsed)
        kinds.append(parsed)
    return tuple(kinds)


class Kinds:
    """
    The registry of served kinds: built-ins first, then custom ones by group, best version and name.

    Groups in `preferred` come before other custom ones: of two kinds with the same name people get the first.
    `more` are served besides the built-in ones.
    """

    def __init__(self, *, preferred: tuple[str, ...] = (), more: tuple[Kind, ...] = ()) -> None:
        self._preferred = preferred
        self._builtin = (*parse_table(builtin_kinds.TABLE), *more)
        self._custom: dict[str, tuple[Kind, ...]] = {}
        self._index()

    def by_resource(self, resource: Resource) -> Kind | None:
        """Look a kind up by the coordinates in its URL."""
        return self._by_resource.get(resource)

    def by_kind(self, group: str, version: str, kind: str) -> Kind | None:
        """Look a kind up by `apiVersion` and `kind` of an object."""
        return self._by_kind.get((group, version, kind))

    def all(self) -> list[Kind]:
        """Return every served kind; versions of one group are in order of preference."""
        return list(self._by_resource.values())

    def add_crd(self, crd: JsonObject) -> tuple[Kind, ...]:
        """Serve the kinds of a valid CustomResourceDefinition, in place of those it defined before."""
        self._custom[crd["metadata"]["name"]] = parse_crd(crd)
        self._index()
        return self._custom[crd["metadata"]["name"]]

    def remove_crd(self, crd: JsonObject) -> None:
        """Stop serving the kinds of a CustomResourceDefinition."""
        self._custom.pop(crd["metadata"]["name"], None)
        self._index()

    def _index(self) -> None:
        custom = sorted(
            (kind for kinds in self._custom.values() for kind in kinds),
            key=lambda kind: (
                kind.group not in self._preferred,
                kind.group,
                version_preference(kind.version),
                kind.plural,
            ),
        )
        kinds = (*self._builtin, *custom)
        self._by_resource = {kind.resource: kind for kind in kinds}
        self._by_kind = {(kind.group, kind.version, kind.kind): kind for kind in kinds}


def subresource(kind: Kind, name: str) -> Subresource | None:
    """Look up a subresource of `kind` (`status`, `scale`, `log` ...); None when it has none of that name."""
    if name not in kind.subresources:
        return None
    if name == "status":
        return Subresource("status", _READ_WRITE, (kind.group, kind.version, kind.kind))
    return _SCALE if name == "scale" else _SUBRESOURCES[(kind.plural, name)]


def body_kind(part: Subresource) -> Kind:
    """Describe the body of a subresource as a kind, for validation and defaulting; it is served nowhere by itself."""
    group, version, kind = part.body
    return Kind(
        group=group,
        version=version,
        kind=kind,
        plural=part.name,
        singular=part.name,
        namespaced=True,
        verbs=(),
    )


_VERSION: Final = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


def version_preference(version: str) -> tuple[int, int, int, str]:
    """Sort key that puts v2 before v1 before v1beta1 before v1alpha3, and other names last, as kubectl prefers."""
    match = _VERSION.fullmatch(version)
    if not match:
        return (3, 0, 0, version)
    stability = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return (stability, -int(match[1]), -int(match[3] or 0), version)


def parse_crd(crd: JsonObject) -> tuple[Kind, ...]:
    """Build the kinds that the served versions of a valid CustomResourceDefinition define."""
    spec = crd["spec"]
    names = spec["names"]
    return tuple(
        Kind(
            group=spec["group"],
            version=version["name"],
            kind=names["kind"],
            plural=names["plural"],
            singular=names.get("singular") or names["kind"].lower(),
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=tuple(sorted(version.get("subresources") or ())),
            columns=_columns(version.get("additionalPrinterColumns") or []),
            is_custom=True,
            is_storage_version=bool(version.get("storage")),
            selectable_fields=tuple(
                field["jsonPath"].removeprefix(".") for field in version.get("selectableFields") or ()
            ),
            **_scale(version),
        )
        for version in spec["versions"]
        if version.get("served")
    )


def _scale(version: JsonObject) -> dict[str, Any]:
    entry = (version.get("subresources") or {}).get("scale")
    if not entry:
        return {}
    paths = ScalePaths(
        *(
            tuple(filter(None, (entry.get(key) or "").split(".")))
            for key in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
        )
    )
    return {"scale": paths}


def _columns(entries: list[dict[str, Any]]) -> tuple[Column, ...] | None:
    columns = tuple(
        Column(
            name=entry["name"],
            type=entry["type"],
            json_path=entry["jsonPath"],
            format=entry.get("format", ""),
            description=entry.get("description", ""),
            priority=entry.get("priority", 0),
        )
        for entry in entries
    )
    return columns or None
