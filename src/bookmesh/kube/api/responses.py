"""Objects and refusals as HTTP responses, in the representation that the client chose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import yaml
from aiohttp import web
from multidict import CIMultiDict

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import metadata, negotiation, option_rules, verbs
from bookmesh.kube.api.tables import printers
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.store import records

_LONGEST_WARNINGS: Final = 4096
_LONGEST_WARNING: Final = 256
_TYPES: Final = {"json": "application/json", "yaml": "application/yaml"}


def json_response(
    value: Any,
    *,
    code: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> web.Response:
    """Answer with JSON; bytes are taken as encoded already."""
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return web.Response(body=body, status=code, headers={"Content-Type": content_type, **(headers or {})})


def error_response(error: ApiError) -> web.Response:
    """Answer with the error's `Status`."""
    return json_response(error.status(), code=error.code, headers=error.headers)


def object_response(
    request: web.Request,
    kind: kinds_module.Kind,
    obj: JsonObject,
    *,
    clock: metadata.Clock,
    code: int = 200,
    warnings: Sequence[str] = (),
) -> web.Response:
    """Answer with one object."""
    wanted = negotiation.choose(request.headers.get("Accept", ""))
    if wanted.form == "table":
        obj = printers.build_table(
            kind,
            [obj],
            metadata={"resourceVersion": obj["metadata"].get("resourceVersion", "")},
            now=clock(),
            version=wanted.version,
            include=option_rules.included(request.query),
        )
    elif wanted.form == "metadata":
        obj = printers.partial_metadata(obj, wanted.version)
    response = _encoded(obj, wanted.encoding, code)
    add_warnings(response.headers, warnings)
    return response


def stored_response(
    request: web.Request, kind: kinds_module.Kind, stored: records.Stored, *, clock: metadata.Clock
) -> web.Response:
    """Answer with a stored object; plain JSON is the bytes that the store has anyway."""
    wanted = negotiation.choose(request.headers.get("Accept", ""))
    if wanted.form == "object" and wanted.encoding == "json":
        return json_response(object_bytes(kind, stored))
    return object_response(request, kind, verbs.present(kind, stored.object), clock=clock)


def list_response(
    request: web.Request,
    kind: kinds_module.Kind,
    found: Sequence[records.Stored],
    *,
    list_metadata: JsonObject,
    clock: metadata.Clock,
) -> web.Response:
    """Answer with a list; plain JSON is joined from the bytes that the store has anyway."""
    wanted = negotiation.choose(request.headers.get("Accept", ""))
    if wanted.form == "table":
        table = printers.build_table(
            kind,
            (verbs.present(kind, stored.object) for stored in found),
            metadata=list_metadata,
            now=clock(),
            version=wanted.version,
            include=option_rules.included(request.query),
        )
        return json_response(table)
    if wanted.form == "metadata":
        items = [printers.partial_metadata(stored.object, wanted.version) for stored in found]
        body = {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"meta.k8s.io/{wanted.version}",
            "metadata": list_metadata,
            "items": items,
        }
        return json_response(body)
    envelope = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": list_metadata}
    if wanted.encoding == "yaml":
        return _encoded(
            {**envelope, "items": [verbs.present(kind, stored.object) for stored in found]}, "yaml", 200
        )
    joined = b",".join(object_bytes(kind, stored) for stored in found)
    return json_response(orjson.dumps(envelope)[:-1] + b',"items":[' + joined + b"]}")


def object_bytes(kind: kinds_module.Kind, stored: records.Stored) -> bytes:
    """The JSON of a stored object in the kind's version."""
    if stored.object.get("apiVersion") == kind.api_version:
        return stored.raw
    return orjson.dumps(verbs.present(kind, stored.object))


def add_warnings(headers: CIMultiDict[str], warnings: Iterable[str]) -> None:
    """
    Add a `Warning` header for each text; kubectl prints them.

    Where they are long altogether, each is shortened and the last ones are left out, as clients limit what they read.
    """
    texts = [
        " ".join("".join(each if each.isprintable() else " " for each in text).split()) for text in warnings
    ]
    if sum(map(len, texts)) > _LONGEST_WARNINGS:
        texts = [text[:_LONGEST_WARNING] for text in texts]
    room = _LONGEST_WARNINGS
    for text in texts:
        room -= len(text)
        if room < 0:
            break
        printable = text.replace("\\", "\\\\").replace('"', '\\"')
        headers.add("Warning", f'299 - "{printable}"')


def _encoded(obj: JsonObject, encoding: negotiation.Encoding, code: int) -> web.Response:
    if encoding == "yaml":
        text = yaml.safe_dump(obj, sort_keys=False, allow_unicode=True)
        return json_response(text.encode(), code=code, content_type=_TYPES["yaml"])
    return json_response(obj, code=code)
