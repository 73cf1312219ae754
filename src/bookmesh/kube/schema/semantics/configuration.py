"""ConfigMaps and Secrets."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause

_MOST_BYTES: Final = 1024 * 1024
_IMMUTABLE: Final = "field is immutable when `immutable` is set"
_KEYS_OF_TYPE: Final = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}


def check_config_map(config_map: JsonObject, old: JsonObject | None) -> list[Cause]:
    data, binary = config_map.get("data") or {}, config_map.get("binaryData") or {}
    found = [cause for key in data for cause in names.check(f"data[{key}]", key, names.config_key)]
    found += [cause for key in binary for cause in names.check(f"binaryData[{key}]", key, names.config_key)]
    for key in data.keys() & binary.keys():
        found.append(causes.invalid(f"data[{key}]", key, f"duplicate of key present in binaryData: {key}"))
    size = sum(len(value.encode()) for value in data.values())
    if size + sum(_decoded_size(value) for value in binary.values()) > _MOST_BYTES:
        found.append(causes.too_long("", _MOST_BYTES))
    return [*found, *_check_immutable(config_map, old, ("data", "binaryData"))]


def check_secret(secret: JsonObject, old: JsonObject | None) -> list[Cause]:
    data = secret.get("data") or {}
    found = [cause for key in data for cause in names.check(f"data[{key}]", key, names.config_key)]
    if sum(_decoded_size(value) for value in data.values()) > _MOST_BYTES:
        found.append(causes.too_long("data", _MOST_BYTES))
    kind = secret.get("type", "Opaque")
    found += [causes.required(f"data[{key}]") for key in _KEYS_OF_TYPE.get(kind, ()) if key not in data]
    if kind == "kubernetes.io/dockerconfigjson" and ".dockerconfigjson" in data:
        found += _check_json("data[.dockerconfigjson]", data[".dockerconfigjson"])
    if old is not None and old.get("type", "Opaque") != kind:
        found.append(causes.invalid("type", kind, "field is immutable"))
    return [*found, *_check_immutable(secret, old, ("data",))]


def _decoded_size(text: str) -> int:
    return len(text) * 3 // 4 - text.count("=")


def _check_json(where: str, encoded: str) -> list[Cause]:
    try:
        orjson.loads(base64.b64decode(encoded))
    except (binascii.Error, orjson.JSONDecodeError):
        return [causes.invalid(where, "<secret contents redacted>", "must be valid JSON")]
    return []


def _check_immutable(obj: JsonObject, old: JsonObject | None, fields: tuple[str, ...]) -> list[Cause]:
    if old is None or not old.get("immutable"):
        return []
    found = [
        causes.forbidden(field, _IMMUTABLE)
        for field in fields
        if (obj.get(field) or {}) != (old.get(field) or {})
    ]
    if not obj.get("immutable"):
        found.append(causes.forbidden("immutable", _IMMUTABLE))
    return found
