"""
Resources as ready-made bytes, and delta responses joined from them.

A resource is serialized once; every proxy that gets it shares the bytes. A response is a concatenation of chunks, which
is what protobuf itself would write for `DeltaDiscoveryResponse`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from bookmesh.mesh.wire import encoding

# Field numbers of envoy.service.discovery.v3: Resource, DeltaDiscoveryResponse; and of google.protobuf.Any.
_RESOURCE_VERSION, _RESOURCE_BODY, _RESOURCE_NAME = 1, 2, 3
_RESPONSE_RESOURCES, _RESPONSE_TYPE_URL, _RESPONSE_NONCE, _RESPONSE_REMOVED = 2, 4, 5, 6
_ANY_TYPE_URL, _ANY_VALUE = 1, 2


@dataclass(frozen=True, slots=True)
class Encoded:
    """One resource. `version` depends on its bytes alone; `chunk` is its part of a delta response."""

    name: str
    version: str
    chunk: bytes


class Layers(Mapping[str, Encoded]):
    """Mappings that have no name in common, seen as one. What many proxies share is one layer, and in memory once."""

    __slots__ = ("_layers",)

    def __init__(self, *layers: Mapping[str, Encoded]) -> None:
        self._layers = layers

    def __getitem__(self, name: str) -> Encoded:
        for layer in self._layers:
            found = layer.get(name)
            if found is not None:
                return found
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(name in layer for layer in self._layers)

    def __iter__(self) -> Iterator[str]:
        for layer in self._layers:
            yield from layer

    def __len__(self) -> int:
        return sum(map(len, self._layers))


def encode(type_url: str, name: str, message: bytes) -> Encoded:
    """Wrap the serialized `message` of type `type_url`; the name is what proxies subscribe to."""
    body = encoding.length_delimited(_ANY_TYPE_URL, type_url.encode()) + encoding.length_delimited(
        _ANY_VALUE, message
    )
    version = blake2b(body, digest_size=8).hexdigest()
    resource = (
        encoding.length_delimited(_RESOURCE_VERSION, version.encode())
        + encoding.length_delimited(_RESOURCE_BODY, body)
        + encoding.length_delimited(_RESOURCE_NAME, name.encode())
    )
    return Encoded(name=name, version=version, chunk=encoding.length_delimited(_RESPONSE_RESOURCES, resource))


def join_response(*, type_url: str, nonce: str, updated: Iterable[Encoded], removed: Iterable[str]) -> bytes:
    """Join one serialized `DeltaDiscoveryResponse`."""
    chunks = [resource.chunk for resource in updated]
    chunks.append(encoding.length_delimited(_RESPONSE_TYPE_URL, type_url.encode()))
    chunks.append(encoding.length_delimited(_RESPONSE_NONCE, nonce.encode()))
    chunks.extend(encoding.length_delimited(_RESPONSE_REMOVED, name.encode()) for name in removed)
    return b"".join(chunks)
