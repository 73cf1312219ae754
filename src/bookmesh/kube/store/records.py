"""What the store hands out, and the refusals its callers catch."""
# ruff: noqa: N818  (refusals are named for what is the case: AlreadyExists, Missing, Expired)

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from bookmesh.base.kubernetes import JsonObject

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


class GroupResource(NamedTuple):
    """Storage key of a resource, the same for all its versions: `GroupResource("apps", "deployments")`."""

    group: str
    plural: str

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True)
class Stored:
    """
    One state of one object. `namespace` is "" for cluster-scoped ones.

    `object` is shared by everybody and must never be mutated; `raw` is the same as JSON bytes; `version` is its
    `metadata.resourceVersion` as a number.
    """

    group_resource: GroupResource
    namespace: str
    name: str
    object: JsonObject
    raw: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Change:
    """
    One committed write.

    `stored` is the state after it; for DELETED it is the last state, carrying the version of the deletion.
    `previous` is the state before it; None for ADDED only.
    """

    type: ChangeType
    stored: Stored
    previous: Stored | None


class StoreError(Exception):
    """Any refusal of the store."""


class AlreadyExists(StoreError):
    """An object of that name is there already: `stored`."""

    def __init__(self, stored: Stored) -> None:
        super().__init__(f"{stored.group_resource} {stored.namespace}/{stored.name} already exists")
        self.stored = stored


class Missing(StoreError):
    """There is no object of that name."""

    def __init__(self, group_resource: GroupResource, namespace: str, name: str) -> None:
        super().__init__(f"{group_resource} {namespace}/{name} does not exist")


class VersionMismatch(StoreError):
    """The object is not at the version the write was based on; `stored` is where it is now."""

    def __init__(self, stored: Stored, expected: int) -> None:
        super().__init__(
            f"{stored.group_resource} {stored.namespace}/{stored.name} is at version {stored.version}, not {expected}"
        )
        self.stored = stored
        self.expected = expected


class Expired(StoreError):
    """The changes after `since` are no longer all known; `oldest` is the earliest version a watch can start from."""

    def __init__(self, since: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {since} ({oldest})")
        self.since = since
        self.oldest = oldest


class StoreUnusable(StoreError):
    """
    The file cannot serve: another process has it open, it is not ours, another version of us wrote it, or the disk that
    it is on has failed.
    """
