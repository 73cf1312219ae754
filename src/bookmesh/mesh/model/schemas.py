"""
From a structure to a structural OpenAPI v3 schema, as CustomResourceDefinitions want it.

Structural means: every field under `properties` with a type of its own, no references, and `oneOf`/`anyOf`/`not`
only to say which fields are required together.
"""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any, cast

import msgspec

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.model import base

_Info = msgspec.inspect.Type
_FIELD_LINE = re.compile(r"^(?P<name>[a-z][a-z0-9_]*): (?P<text>\S.*)$")


def schema_for(model: type[base.Model]) -> JsonObject:
    """Derive the schema of one structure, with everything below it."""
    info = msgspec.inspect.type_info(model)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{model.__name__} is not a structure")
    return _struct_schema(info)


def _struct_schema(info: msgspec.inspect.StructType) -> JsonObject:
    model = cast(type[base.Model], info.cls)
    summary, texts = describe(model)
    properties: JsonObject = {}
    for field in info.fields:
        schema = _schema(field.type)
        text = texts.get(field.name)
        if text is not None:
            schema["description"] = text
        properties[field.encode_name] = schema
    result: JsonObject = {
        "type": "object",
        "description": summary,
        "properties": dict(sorted(properties.items())),
    }
    required = [field.encode_name for field in info.fields if field.required]
    if required:
        result["required"] = required
    names = {field.name: field.encode_name for field in info.fields}
    groups = [_at_most_one([names[name] for name in group]) for group in model.one_of()]
    if len(groups) == 1:
        result.update(groups[0])
    elif groups:
        result["allOf"] = groups
    return result


def _at_most_one(names: list[str]) -> JsonObject:
    alternatives = [{"required": [name]} for name in names]
    return {"oneOf": [{"not": {"anyOf": alternatives}}, *alternatives]}


def _schema(info: _Info) -> JsonObject:
    match info:
        case msgspec.inspect.Metadata():
            return {**_schema(info.type), **(info.extra_json_schema or {})}
        case msgspec.inspect.UnionType():
            (alternative,) = (t for t in info.types if not isinstance(t, msgspec.inspect.NoneType))
            return _schema(alternative)
        case msgspec.inspect.StructType():
            return _struct_schema(info)
        case msgspec.inspect.VarTupleType():
            return {"type": "array", "items": _schema(info.item_type), **_bounds(info, "Items")}
        case msgspec.inspect.DictType(value_type=msgspec.inspect.AnyType()):
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        case msgspec.inspect.DictType():
            return {"type": "object", "additionalProperties": _schema(info.value_type)}
        case msgspec.inspect.LiteralType():
            kind = "integer" if isinstance(info.values[0], int) else "string"
            return {"type": kind, "enum": list(info.values)}
        case msgspec.inspect.StrType():
            return {"type": "string", **_bounds(info, "Length"), **_present(pattern=info.pattern)}
        case msgspec.inspect.IntType():
            return {"type": "integer", **_present(minimum=info.ge, maximum=info.le)}
        case msgspec.inspect.FloatType():
            return {"type": "number", "format": "double", **_present(minimum=info.ge, maximum=info.le)}
        case msgspec.inspect.BoolType():
            return {"type": "boolean"}
        case _:
            raise TypeError(f"no schema for {info}")


def _bounds(info: msgspec.inspect.StrType | msgspec.inspect.VarTupleType, suffix: str) -> JsonObject:
    return _present(**{f"min{suffix}": info.min_length, f"max{suffix}": info.max_length})


def _present(**values: Any) -> JsonObject:
    return {key: value for key, value in values.items() if value is not None}


@functools.cache
def describe(model: type[base.Model]) -> tuple[str, dict[str, str]]:
    """Split the docstring of a structure into its first paragraph and the lines about its fields."""
    summary, texts = [], {}
    in_fields = False
    for line in inspect.cleandoc(model.__doc__ or "").splitlines():
        found = _FIELD_LINE.match(line)
        if found and in_fields:
            texts[found["name"]] = found["text"]
        elif not line:
            in_fields = True
        elif not in_fields:
            summary.append(line)
    return " ".join(summary), texts
