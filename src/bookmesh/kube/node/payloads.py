"""
The files of configMap, secret, downwardAPI and projected volumes, as data. Pure.

Writing them is `atomic_directory`'s business, when to write them `volumes`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import fields
from bookmesh.kube.node.sources import SourceError, Sources

KINDS = ("configMap", "secret", "downwardAPI", "projected")
_DEFAULT_MODE = 0o644

TokenFor = Callable[[JsonObject], str]
"""From a `serviceAccountToken` source to a valid token."""


class PayloadFile(NamedTuple):
    """One file: its bytes and its permission bits."""

    data: bytes
    mode: int


Payload = dict[str, PayloadFile]
"""Files by their path relative to the volume, with `/` between parts."""


def build_payload(
    volume: JsonObject,
    *,
    pod: JsonObject,
    sources: Sources,
    token_for: TokenFor,
    allocatable: Mapping[str, str],
) -> Payload:
    """
    Build all files of a volume of one of `KINDS`.

    Raises:
        SourceError: an object, key or field that is not optional does not exist, or a path leaves the volume.
    """
    kind = next(kind for kind in KINDS if kind in volume)
    body = volume[kind]
    mode = body.get("defaultMode", _DEFAULT_MODE)
    if kind != "projected":
        return _from_source(
            {kind: body}, mode, pod=pod, sources=sources, token_for=token_for, allocatable=allocatable
        )
    payload: Payload = {}
    for source in body.get("sources") or []:
        payload |= _from_source(
            source, mode, pod=pod, sources=sources, token_for=token_for, allocatable=allocatable
        )
    return payload


def _from_source(
    source: JsonObject,
    mode: int,
    *,
    pod: JsonObject,
    sources: Sources,
    token_for: TokenFor,
    allocatable: Mapping[str, str],
) -> Payload:
    if body := source.get("configMap"):
        name = body["name"]
        return _selected(body, sources.config_map_data(name), kind="config", name=name, mode=mode)
    if body := source.get("secret"):
        name = body.get("secretName") or body["name"]
        return _selected(body, sources.secret_data(name), kind="secret", name=name, mode=mode)
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or []
        return {
            _checked(item["path"]): PayloadFile(_downward(item, pod, allocatable), item.get("mode", mode))
            for item in items
        }
    if body := source.get("serviceAccountToken"):
        return {_checked(body["path"]): PayloadFile(token_for(body).encode(), mode)}
    raise SourceError(f"unsupported projected volume source: {', '.join(source)}")


def _selected(
    body: JsonObject, data: Mapping[str, bytes] | None, *, kind: str, name: str, mode: int
) -> Payload:
    optional = bool(body.get("optional"))
    if data is None:
        if optional:
            return {}
        raise SourceError(f'{"configmap" if kind == "config" else "secret"} "{name}" not found')
    items = body.get("items")
    if not items:
        return {key: PayloadFile(value, mode) for key, value in data.items()}
    payload: Payload = {}
    for item in items:
        if item["key"] not in data:
            if optional:
                continue
            raise SourceError(f"references non-existent {kind} key: {item['key']}")
        payload[_checked(item["path"])] = PayloadFile(data[item["key"]], item.get("mode", mode))
    return payload


def _downward(item: JsonObject, pod: JsonObject, allocatable: Mapping[str, str]) -> bytes:
    try:
        if reference := item.get("fieldRef"):
            return fields.field_value(pod, reference["fieldPath"]).encode()
        return fields.resource_value(
            pod, item["resourceFieldRef"], container=None, allocatable=allocatable
        ).encode()
    except ValueError as error:
        raise SourceError(str(error)) from error


def _checked(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise SourceError(f"invalid path in volume: {path}")
    return "/".join(parts)
