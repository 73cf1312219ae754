"""Changes to headers: VirtualService `headers` -> what Envoy adds and removes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bookmesh.mesh.model import matching
from bookmesh.mesh.wire import core


@dataclass(frozen=True, slots=True)
class HeaderChanges:
    """Changes in the order in which Envoy applies them; `authority` "" leaves the Host header alone."""

    request_add: tuple[core.HeaderValueOption, ...] = ()
    request_remove: tuple[str, ...] = ()
    response_add: tuple[core.HeaderValueOption, ...] = ()
    response_remove: tuple[str, ...] = ()
    authority: str = ""

    def apply(self, target: Any) -> None:
        """Append to the fields that routes and weighted clusters have in common."""
        target.request_headers_to_add.extend(self.request_add)
        target.request_headers_to_remove.extend(self.request_remove)
        target.response_headers_to_add.extend(self.response_add)
        target.response_headers_to_remove.extend(self.response_remove)


def build_changes(headers: matching.Headers | None) -> HeaderChanges:
    """Translate; names of pseudo-headers are skipped, except that Host becomes `authority`."""
    request = headers.request if headers is not None else None
    response = headers.response if headers is not None else None
    return HeaderChanges(
        request_add=_additions(request),
        request_remove=_removals(request),
        response_add=_additions(response),
        response_remove=_removals(response),
        authority=_authority(request),
    )


def _additions(operations: matching.HeaderOperations | None) -> tuple[core.HeaderValueOption, ...]:
    if operations is None:
        return ()
    overwrite = core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    append = core.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
    return (*_options(operations.set, overwrite), *_options(operations.add, append))


def _options(values: Mapping[str, str], action: int) -> tuple[core.HeaderValueOption, ...]:
    return tuple(
        core.HeaderValueOption(header=core.HeaderValue(key=name, value=value), append_action=action)
        for name, value in sorted(values.items())
        if not _is_internal(name)
    )


def _removals(operations: matching.HeaderOperations | None) -> tuple[str, ...]:
    return () if operations is None else tuple(name for name in operations.remove if not _is_internal(name))


def _authority(operations: matching.HeaderOperations | None) -> str:
    if operations is None:
        return ""
    for values in (operations.set, operations.add):
        for name, value in values.items():
            if name.lower() in (":authority", "host"):
                return value
    return ""


def _is_internal(name: str) -> bool:
    return name.startswith(":") or name.lower() == "host"
