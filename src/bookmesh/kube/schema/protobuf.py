"""
Decode `application/vnd.kubernetes.protobuf` request bodies, which kubectl and Helm send for some kinds whatever the
server says it accepts. Answers may always be JSON, so there is no encoder.

A body is the four bytes `k8s\\0` and an envelope message: apiVersion and kind, and the object as bytes. Field numbers
that the table does not have are skipped, as protobuf asks for.
"""

from __future__ import annotations

import base64
import datetime
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import protobuf_fields

_MAGIC: Final = b"k8s\0"
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MAX_DEPTH: Final = 100
# Groups whose package is not called like the group; others have the domain of the group left out.
_PACKAGES: Final = {"": "core"}
_GROUP_ENDS: Final = (".authorization.k8s.io", ".k8s.io")
# Options may be sent under the group version of the resource they are about.
_META_KINDS: Final = frozenset({"DeleteOptions"})


class DecodeError(Exception):
    """The body is not Kubernetes protobuf, is damaged, or is of a kind that no client should send."""


def decode(body: bytes) -> JsonObject:
    """
    Decode one object with its `apiVersion` and `kind`.

    Raises:
        DecodeError: see there.
    """
    if not body.startswith(_MAGIC):
        raise DecodeError("the body does not start with the Kubernetes protobuf prefix")
    try:
        envelope = dict(_fields(body[len(_MAGIC) :]))
        type_meta = {number: value.decode() for number, value in _fields(envelope.get(1, b""))}
        api_version, kind = type_meta.get(1, ""), type_meta.get(2, "")
        name = _message_name(api_version, kind)
        if name not in protobuf_fields.messages():
            raise DecodeError(
                f'no protobuf form of kind "{kind}" in version "{api_version}" is known: send JSON'
            )
        obj = _message(name, envelope.get(2, b""), depth=0)
    except (ValueError, TypeError, AttributeError, IndexError, struct.error, OverflowError) as error:
        raise DecodeError(f"the protobuf body is damaged: {error}") from error
    return {"apiVersion": api_version, "kind": kind, **obj}


def _message_name(api_version: str, kind: str) -> str:
    if kind in _META_KINDS:
        return f"meta.v1.{kind}"
    group, _, version = api_version.rpartition("/")
    package = _PACKAGES.get(group, group)
    for end in _GROUP_ENDS:
        package = package.removesuffix(end)
    return f"{package}.{version}.{kind}"


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (number, value) in wire order; values are an unsigned int or bytes. Raises ValueError."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire_type == 2:
            size, position = _varint(data, position)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
        else:
            raise ValueError(f"wire type {wire_type}")
        if position + size > len(data):
            raise ValueError("it is cut off")
        yield number, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("it is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number is too long")


def _message(name: str, data: bytes, *, depth: int) -> JsonObject:
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    known = protobuf_fields.messages()[name]
    result: JsonObject = {}
    for number, raw in _fields(data):
        field = known.get(number)
        if field is None:
            continue
        if field.shape == "map":
            entry = dict(_fields(raw))
            result.setdefault(field.name, {})[entry.get(1, b"").decode()] = _value(field, entry.get(2), depth)
        elif field.shape == "list":
            result.setdefault(field.name, []).append(_value(field, raw, depth))
        elif field.is_inline:
            result.update(_value(field, raw, depth))
        else:
            value = _value(field, raw, depth)
            is_zero = field.type in protobuf_fields.SCALARS and not value
            if value is not None and (field.keeps_zero or not is_zero):
                result[field.name] = value
    return result


def _value(field: protobuf_fields.Field, raw: Any, depth: int) -> Any:
    """Decode one value; `raw` is None for a map entry without one."""
    scalar = _SCALARS.get(field.type)
    if scalar is not None:
        return scalar(raw)
    if field.type == "strings":
        return [text.decode() for _, text in _fields(raw or b"")]
    special = _SPECIAL.get(field.type)
    if special is not None:
        return special(dict(_fields(raw or b"")))
    return _message(field.type, raw or b"", depth=depth + 1)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


_SCALARS: Final[dict[str, Callable[[Any], Any]]] = {
    "string": lambda raw: (raw or b"").decode(),
    "bytes": lambda raw: base64.b64encode(raw or b"").decode(),
    "bool": bool,
    "int": lambda raw: _signed(raw or 0),
    "double": lambda raw: struct.unpack("<d", raw)[0],
}


def _time(parts: dict[int, Any]) -> str | None:
    seconds = _signed(parts.get(1, 0))
    if not seconds:
        return None
    moment = _EPOCH + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(parts: dict[int, Any]) -> str | None:
    whole = _time(parts)
    return f"{whole[:-1]}.{parts.get(2, 0) // 1000:06d}Z" if whole else None


def _int_or_string(parts: dict[int, Any]) -> int | str:
    text: bytes = parts.get(3, b"")
    return text.decode() if parts.get(1) else _signed(parts.get(2, 0))


def _embedded_json(parts: dict[int, Any]) -> Any:
    return orjson.loads(parts[1]) if parts.get(1) else None


_SPECIAL: Final[dict[str, Callable[[dict[int, Any]], Any]]] = {
    "meta.v1.Time": _time,
    "meta.v1.MicroTime": _micro_time,
    "meta.v1.FieldsV1": _embedded_json,
    "api.resource.Quantity": lambda parts: parts.get(1, b"0").decode(),
    "util.intstr.IntOrString": _int_or_string,
}
