"""Small constructors for the well-known protobuf types Envoy wraps everything in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import any_pb2, duration_pb2, struct_pb2, wrappers_pb2

_PREFIX: Final = "type.googleapis.com/"
_NANOS: Final = 1_000_000_000
_LONGEST_S: Final = (2**63 - 1) // _NANOS - 1


def pack(message: Any) -> any_pb2.Any:
    """Wrap a message with its type; the same content gives the same bytes."""
    return any_pb2.Any(
        type_url=_PREFIX + message.DESCRIPTOR.full_name, value=message.SerializeToString(deterministic=True)
    )


def duration(seconds: float) -> duration_pb2.Duration:
    """Seconds, >= 0, rounded to whole nanoseconds; at most as many as Go and Envoy can count, which is 292 years."""
    whole, nanos = divmod(round(min(seconds, _LONGEST_S) * _NANOS), _NANOS)
    return duration_pb2.Duration(seconds=whole, nanos=nanos)


def uint32(value: int) -> wrappers_pb2.UInt32Value:
    return wrappers_pb2.UInt32Value(value=value)


def boolean(value: bool) -> wrappers_pb2.BoolValue:
    return wrappers_pb2.BoolValue(value=value)


def struct(values: Mapping[str, str | Mapping[str, str]]) -> struct_pb2.Struct:
    """A structure of strings, and of such structures, as metadata is."""
    return struct_pb2.Struct(fields={key: _value(value) for key, value in values.items()})


def _value(value: str | Mapping[str, str]) -> struct_pb2.Value:
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    return struct_pb2.Value(struct_value=struct(value))
