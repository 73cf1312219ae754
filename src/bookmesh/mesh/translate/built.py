"""One finished resource."""

from __future__ import annotations

from typing import Any

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.translate import caching


class Built:
    """
    One resource: an Envoy message nobody may change, its bytes, and the YAML objects it was made from.

    `serialized` is the message in protobuf encoding, without an Any around it; the same content gives the same bytes.
    """

    __slots__ = ("message", "name", "serialized", "sources", "type_url")

    def __init__(self, type_url: str, name: str, message: Any, sources: tuple[ObjectRef, ...] = ()) -> None:
        self.type_url = type_url
        self.name = name
        self.message = message
        self.sources = sources
        self.serialized: bytes = message.SerializeToString(deterministic=True)


def finish(
    type_url: str, name: str, message: Any, sources: tuple[ObjectRef, ...], cache: caching.Cache
) -> Built:
    """Finish a message. One that says the same as in a recent push gives the `Built` of that push."""
    fresh = Built(type_url, name, message, sources)
    return cache.get(("built", type_url, name, fresh.serialized, sources), _itself, fresh)


def _itself(fresh: Built) -> Built:
    return fresh
