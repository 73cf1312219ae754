"""
Values of built-in kinds that have another type than their field, in the words of a real server's decoder.

A real server decodes a built-in kind into Go structures; what cannot be decoded is a malformed request, not an invalid
object, and only the first mistake is told. Fields of named string types are told as `string`.
"""

from __future__ import annotations

import binascii
import re
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import kinds, nodes, quantities, schemas
from bookmesh.kube.schema.semantics import volumes

_QUANTITY: Final = "resource.Quantity"
_NUMBER_OR_TEXT: Final = "intstr.IntOrString"
_TIMES: Final = {"v1.Time": "2006-01-02T15:04:05Z07:00", "v1.MicroTime": "2006-01-02T15:04:05.000000Z07:00"}
_LEAVES: Final = frozenset({_QUANTITY, _NUMBER_OR_TEXT, *_TIMES})
_SCALARS: Final = {"string": "string", "boolean": "bool", "number": "float64"}
_BITS: Final = {"int32": 31, "int64": 63}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Structures that hold the fields of another one, whose name is a step of the path: which fields are those, or are not.
_OF_REFERENCE: Final = ("LocalObjectReference", frozenset({"name"}))
_EMBEDDED: Final = {
    "v1.ConfigMapEnvSource": _OF_REFERENCE,
    "v1.ConfigMapKeySelector": _OF_REFERENCE,
    "v1.ConfigMapProjection": _OF_REFERENCE,
    "v1.ConfigMapVolumeSource": _OF_REFERENCE,
    "v1.Probe": ("ProbeHandler", frozenset({"exec", "grpc", "httpGet", "tcpSocket"})),
    "v1.SecretEnvSource": _OF_REFERENCE,
    "v1.SecretKeySelector": _OF_REFERENCE,
    "v1.SecretProjection": _OF_REFERENCE,
}
_EMBEDDED_OTHERS: Final = {
    "v1.PersistentVolumeSpec": ("PersistentVolumeSource", volumes.NO_SOURCES),
    "v1.Volume": ("VolumeSource", frozenset({"name"})),
}


class MistypedError(Exception):
    """A value cannot be decoded; the text is that of a real server's decoder."""


def check(known: schemas.Schemas, kind: kinds.Kind, obj: JsonObject) -> None:
    """Raise `MistypedError` for the first value of a built-in kind that cannot be decoded."""
    name = known.name_for(kind.group, kind.version, kind.kind)
    if name is None:
        return
    decoder = _Decoder(known)
    decoder.check_structure(name, obj, "")
    if decoder.first:
        raise MistypedError(decoder.first)


class _Decoder:
    """Walks one object; a mistake within a value of its own notation ends it, others are told at the end."""

    def __init__(self, known: schemas.Schemas) -> None:
        self._known = known
        self.first = ""

    def check_structure(self, name: str, value: JsonObject, path: str) -> None:
        """Check the fields of an object whose definition has this name."""
        shown = _short(name)
        node = self._known.definition(name)
        for key, each in value.items():
            source = node.properties.get(key)
            if source is None or each is None:
                continue
            place = ".".join(step for step in (path, _embedded(shown, key), key) if step)
            self._check(source, each, f"{shown.rpartition('.')[2]}.{place}", place)

    def _check(self, source: JsonObject, value: Any, field: str, path: str) -> None:
        name = nodes.reference_of(source)
        wanted = _go_type(source)
        if wanted in _LEAVES:
            _check_leaf(wanted, value, field)
        elif name is not None and self._known.definition(name).properties:
            if isinstance(value, dict):
                self.check_structure(name, value, path)
            else:
                self._note(value, field, wanted)
        elif name is None:
            self._check_plain(source, value, field, path)

    def _check_plain(self, source: JsonObject, value: Any, field: str, path: str) -> None:
        wanted, kind = _go_type(source), source.get("type")
        if kind == "array":
            if not isinstance(value, list):
                self._note(value, field, wanted)
            for each in value if isinstance(value, list) else ():
                if each is not None:
                    self._check(source.get("items") or {}, each, field, path)
        elif kind == "object":
            values = source.get("additionalProperties")
            if not isinstance(value, dict):
                self._note(value, field, wanted)
            elif isinstance(values, dict):
                for each in value.values():
                    if each is not None:
                        self._check(values, each, field, path)
        elif kind is not None:
            self._check_scalar(source, value, field, wanted)

    def _check_scalar(self, source: JsonObject, value: Any, field: str, wanted: str) -> None:
        kind = source["type"]
        if kind == "integer" and isinstance(value, (int, float)) and not isinstance(value, bool):
            bits = _BITS.get(source.get("format", ""), 63)
            is_whole = isinstance(value, int) and -(2**bits) <= value < 2**bits
            if not is_whole:
                self._note(value, field, wanted, shown=f"number {value}")
        elif kind == "number" and isinstance(value, (int, float)) and not isinstance(value, bool):
            return
        elif source.get("format") == "byte":
            self._check_bytes(value, field)
        elif type(value) is not {"string": str, "boolean": bool}.get(kind):
            self._note(value, field, wanted)

    def _check_bytes(self, value: Any, field: str) -> None:
        if isinstance(value, list) and all(isinstance(each, int) and 0 <= each < 256 for each in value):
            return
        if isinstance(value, list):
            wrong = next(each for each in value if not (isinstance(each, int) and 0 <= each < 256))
            self._note(wrong, field, "uint8")
        elif not isinstance(value, str):
            self._note(value, field, "[]uint8")
        elif (place := _wrong_base64(value)) is not None and not self.first:
            self.first = f"illegal base64 data at input byte {place}"

    def _note(self, value: Any, field: str, wanted: str, *, shown: str = "") -> None:
        if not self.first:
            self.first = _unfit(shown or _json_type(value), field, wanted)


def _unfit(found: str, field: str, wanted: str) -> str:
    return f"json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"


def _embedded(structure: str, key: str) -> str:
    """The structure within a structure that a field is of; "" for the structure's own fields."""
    name, fields = _EMBEDDED.get(structure, ("", frozenset()))
    if key in fields:
        return name
    name, own = _EMBEDDED_OTHERS.get(structure, ("", frozenset()))
    return "" if key in own else name


def _check_leaf(wanted: str, value: Any, field: str) -> None:
    """Check a value with a notation of its own; decoding ends at the first that is wrong."""
    if wanted == _QUANTITY:
        if isinstance(value, (dict, list, bool)) or not quantities.is_quantity(value):
            raise MistypedError(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            )
    elif wanted == _NUMBER_OR_TEXT:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise MistypedError(_unfit(_json_type(value), field, "int32"))
    elif not isinstance(value, str):
        raise MistypedError(_unfit(_json_type(value), field, "string"))
    elif not _TIME.fullmatch(value):
        layout = _TIMES[wanted]
        raise MistypedError(f'parsing time "{value}" as "{layout}": cannot parse {_rest(value)}')


def _rest(value: str) -> str:
    """What of a time cannot be read, and the part of the layout that it should be."""
    place, parts = 0, ("2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05")
    for part in parts:
        piece = value[place : place + len(part)]
        if not (piece == part if not part.isdigit() else piece.isdigit() and len(piece) == len(part)):
            return f'"{value[place:]}" as "{part}"'
        place += len(part)
    return f'"{value[place:]}" as "Z07:00"'


def _go_type(source: JsonObject) -> str:
    name = nodes.reference_of(source)
    if name is not None:
        return _short(name)
    kind: str = source.get("type") or ""
    if kind == "array":
        return f"[]{_go_type(source.get('items') or {})}"
    if kind == "object":
        values = source.get("additionalProperties")
        return f"map[string]{_go_type(values)}" if isinstance(values, dict) else "map[string]interface {}"
    if kind == "integer":
        return str(source.get("format", "int64"))
    if source.get("format") == "byte":
        return "[]uint8"
    return _SCALARS.get(kind, kind)


def _short(name: str) -> str:
    """The name of a Go type, with its package: `v1.PodSpec`."""
    return ".".join(name.split(".")[-2:])


def _json_type(value: Any) -> str:
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _wrong_base64(text: str) -> int | None:
    """Where a text stops being base64; None when it does not."""
    plain = text.replace("\r", "").replace("\n", "")
    try:
        binascii.a2b_base64(plain, strict_mode=True)
    except ValueError:
        found = re.match(r"[A-Za-z0-9+/]*", plain)
        end = found.end() if found else 0
        return end if end < len(plain) else end - end % 4
    return None
