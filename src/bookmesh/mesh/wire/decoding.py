"""From JSON, as people write Envoy's configuration, to messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from google.protobuf import json_format

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.wire import cluster, known_types, listener, route

_TYPE: Final = "@type"
_ANY: Final = "google.protobuf.Any"
_DURATION: Final = "google.protobuf.Duration"
_STRUCT: Final = "google.protobuf.Struct"
# The part of the configuration that an EnvoyFilter changes -> its type.
CLASSES: Final[Mapping[str, Any]] = {
    "LISTENER": listener.Listener,
    "LISTENER_FILTER": listener.ListenerFilter,
    "FILTER_CHAIN": listener.FilterChain,
    "NETWORK_FILTER": listener.Filter,
    "HTTP_FILTER": listener.HttpFilter,
    "ROUTE_CONFIGURATION": route.RouteConfiguration,
    "VIRTUAL_HOST": route.VirtualHost,
    "HTTP_ROUTE": route.Route,
    "CLUSTER": cluster.Cluster,
    "BOOTSTRAP": Bootstrap,
}


class UnknownTypeError(ValueError):
    """`@type` names a type that is not among Envoy's."""

    def __init__(self, type_url: str) -> None:
        super().__init__(f'type "{type_url}" is unknown')
        self.type_url = type_url


class Decoded(NamedTuple):
    """A message, and what was left out of it because Envoy's types do not have it ("" when nothing was)."""

    message: Any
    left_out: str = ""


def decode(apply_to: str, value: Mapping[str, Any]) -> Decoded:
    """
    Read a part of Envoy's configuration. Fields that are unknown are left out.

    Raises:
        UnknownTypeError: a type inside is unknown.
        ValueError: it cannot be read; the text says where and why.
    """
    message_class = CLASSES.get(apply_to)
    if message_class is None:
        raise ValueError(f"{apply_to} is no part of the configuration that can be changed")
    for type_url in _types_in(value):
        if known_types.find_by_url(type_url) is None:
            raise UnknownTypeError(type_url)
    content = dict(_with_seconds(dict(value), message_class.DESCRIPTOR))
    try:
        return Decoded(json_format.ParseDict(content, message_class()))
    except (json_format.ParseError, TypeError) as strict:
        try:
            lenient = json_format.ParseDict(content, message_class(), ignore_unknown_fields=True)
        except (json_format.ParseError, TypeError) as error:
            raise ValueError(str(error)) from error
        return Decoded(lenient, str(strict).partition("\n")[0])


def _with_seconds(value: Any, descriptor: Any) -> Any:
    """Write durations such as 500ms, which Istio takes, as protobuf wants them: in seconds."""
    if descriptor.full_name == _DURATION and isinstance(value, str):
        try:
            return f"{parse_duration_s(value):.9f}s"
        except ValueError:
            return value
    if isinstance(value, dict) and descriptor.full_name == _ANY:
        known = known_types.find_by_url(value.get(_TYPE, ""))
        descriptor = known.DESCRIPTOR if known is not None else descriptor
    if not isinstance(value, dict) or descriptor.full_name == _STRUCT:
        return value
    fields = {f.json_name: f for f in descriptor.fields} | {f.name: f for f in descriptor.fields}
    return {name: _field(item, fields[name]) if name in fields else item for name, item in value.items()}


def _field(value: Any, field: Any) -> Any:
    inner = field.message_type
    if inner is None:
        return value
    if inner.GetOptions().map_entry:
        inner = inner.fields_by_name["value"].message_type
        if inner is None or not isinstance(value, dict):
            return value
        return {key: _with_seconds(item, inner) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_seconds(item, inner) for item in value]
    return _with_seconds(value, inner)


def _types_in(value: Any) -> Iterator[str]:
    """Types of everything but the plain values of a TypedStruct, which are nobody's business but Envoy's."""
    if isinstance(value, dict):
        if _TYPE in value:
            own = value[_TYPE]
            if not isinstance(own, str):
                raise ValueError(f"{_TYPE} is the name of a type, not {own!r}")
            yield own
            if own.endswith(".TypedStruct"):
                return
        for item in value.values():
            yield from _types_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _types_in(item)
