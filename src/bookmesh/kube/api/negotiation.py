"""Which representation of an object a client wants: itself, a row of a table, or its metadata alone."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final, Literal

from bookmesh.base.kubernetes import ApiError

Form = Literal["object", "table", "metadata"]
Encoding = Literal["json", "yaml"]

_META_GROUP: Final = "meta.k8s.io"
_META_VERSIONS: Final = ("v1", "v1beta1")
_FORMS: Final[dict[str, Form]] = {
    "Table": "table",
    "PartialObjectMetadata": "metadata",
    "PartialObjectMetadataList": "metadata",
}


@dataclass(frozen=True, slots=True)
class Representation:
    """`version` is that of `meta.k8s.io` in which a table or the metadata is wanted."""

    form: Form = "object"
    version: str = "v1"
    encoding: Encoding = "json"


@dataclass(frozen=True, slots=True)
class Clause:
    """One alternative of an Accept header."""

    media_type: str
    parameters: dict[str, str]


def parse_accept(header: str) -> list[Clause]:
    """Split an Accept header into its alternatives, in the client's order (clients of Kubernetes send no q)."""
    clauses = []
    for text in header.split(","):
        media_type, *pairs = (part.strip() for part in text.split(";"))
        if media_type:
            parameters = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            clauses.append(Clause(media_type.lower(), parameters))
    return clauses


@functools.lru_cache(maxsize=256)  # clients send the same few all the time
def choose(header: str) -> Representation:
    """
    Pick the first alternative that can be served; no header means plain JSON.

    Raises:
        ApiError: 406 when none can.
    """
    clauses = parse_accept(header)
    if not clauses:
        return Representation()
    for clause in clauses:
        encoding: Encoding = "yaml" if clause.media_type == "application/yaml" else "json"
        if clause.media_type not in {"application/json", "application/yaml", "application/*", "*/*"}:
            continue
        wanted = clause.parameters.get("as")
        if wanted is None:
            return Representation(encoding=encoding)
        version = clause.parameters.get("v", "v1")
        is_meta = clause.parameters.get("g", _META_GROUP) == _META_GROUP and version in _META_VERSIONS
        if is_meta and wanted in _FORMS and encoding == "json":
            return Representation(_FORMS[wanted], version)
    raise ApiError(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json, application/yaml, "
        "application/json;as=Table;g=meta.k8s.io;v=v1",
    )
