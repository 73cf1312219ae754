"""
Admission: others may change or refuse an object before it is validated and stored.

The lab passes hooks in (sidecar injection is one); they run in order, each on what the one before returned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from bookmesh.base.kubernetes import JsonObject, Resource

Operation = Literal["CREATE", "UPDATE", "DELETE"]


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """One write that is about to happen; `old` is None on CREATE. Both objects are shared: copy before a change."""

    operation: Operation
    resource: Resource
    namespace: str
    name: str
    object: JsonObject
    old: JsonObject | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """What a hook decided; `warnings` reach the user as `Warning:` headers."""

    object: JsonObject
    warnings: tuple[str, ...] = ()


class AdmissionHook(Protocol):
    """A port: synchronous, fast, without side effects; raises `ApiError` to refuse the write."""

    def review(self, request: AdmissionRequest) -> Review: ...


def review_all(hooks: Iterable[AdmissionHook], request: AdmissionRequest) -> Review:
    """Run every hook in order; the warnings of all of them are kept, in that order."""
    warnings: list[str] = []
    for hook in hooks:
        review = hook.review(request)
        warnings.extend(review.warnings)
        request = dataclasses.replace(request, object=review.object)
    return Review(request.object, tuple(warnings))
