"""What applying has in common: the changes for one place, with their values as messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bookmesh.mesh.model import envoy_filters
from bookmesh.mesh.snapshot import envoy_filters as filters_
from bookmesh.mesh.wire import decoding


@dataclass(frozen=True, slots=True)
class Change:
    """One change that is for this place; `value` is a message to copy, or None when something is removed."""

    patch: filters_.Patch
    value: Any

    @property
    def operation(self) -> str:
        return self.patch.operation

    @property
    def listener(self) -> envoy_filters.ListenerMatch | None:
        return self.patch.match.listener

    @property
    def routes(self) -> envoy_filters.RouteConfigurationMatch | None:
        return self.patch.match.route_configuration


@dataclass(frozen=True, slots=True)
class Place:
    """
    The kind of proxy and direction, and all changes for the proxy. `gateway_ports` are (port in the pod, ports of the
    servers behind it) of a gateway; `values` has the message of each change that can be read, not to be changed.
    """

    context: envoy_filters.Context
    patches: tuple[filters_.Patch, ...]
    gateway_ports: tuple[tuple[int, tuple[int, ...]], ...] = ()
    values: Mapping[filters_.Patch, Any] = field(default_factory=dict, compare=False)

    def changes(self, apply_to: str, operations: Sequence[str] = ()) -> Iterator[Change]:
        """Changes of one part, in order; those whose value cannot be read are left out (a finding says so)."""
        for patch in self.patches:
            if patch.apply_to != apply_to or patch.context not in ("ANY", self.context):
                continue
            if patch in self.values and (not operations or patch.operation in operations):
                yield Change(patch, self.values[patch])


def read_values(patches: Iterable[filters_.Patch]) -> dict[filters_.Patch, Any]:
    """The messages of all changes that can be read; None for those that remove something."""
    values: dict[filters_.Patch, Any] = {}
    for patch in patches:
        value = patch.config.patch.value if patch.config.patch is not None else None
        try:
            values[patch] = None if value is None else decoding.decode(patch.apply_to, value).message
        except ValueError:
            continue
    return values
