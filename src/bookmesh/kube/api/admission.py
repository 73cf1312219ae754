"""
Admission: others may change or refuse an object before it is stored.

First come the hooks that whoever wires the server passes in (sidecar injection is one), then mutating policies and
webhooks, then the checks of the object itself, then validating policies and webhooks, and quotas last. Hooks and
policies answer at once; webhooks are asked over the network, so a write may have to wait here while others go on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api import authentication

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]

# Never asked about: a webhook that refuses everything could otherwise never be removed.
_OWN_GROUP: Final = "admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """
    One request that is about to be carried out; the objects are shared: copy before a change.

    `old` is None on CREATE. On DELETE `object` is what will go, on CONNECT the options of the connection. `kind` is
    that of `object`; `is_own` marks what the server itself lays down, of which no webhook hears.
    """

    operation: Operation
    resource: Resource
    namespace: str
    name: str
    object: JsonObject
    old: JsonObject | None = None
    dry_run: bool = False
    kind: str = ""
    subresource: str = ""
    user: authentication.User = authentication.SERVER
    options: JsonObject = field(default_factory=dict)
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """What became of the object; `warnings` reach the user as `Warning:` headers."""

    object: JsonObject
    warnings: tuple[str, ...] = ()


class AdmissionHook(Protocol):
    """A port: synchronous, fast, without side effects; raises `ApiError` to refuse the write."""

    def review(self, request: AdmissionRequest) -> Review: ...


class Webhooks(Protocol):
    """A port: those who are asked over the network; both raise `ApiError` for a refusal."""

    async def mutate(self, request: AdmissionRequest) -> Review: ...

    async def validate(self, request: AdmissionRequest) -> tuple[str, ...]:
        """Return warnings."""
        ...


class Policies(Protocol):
    """A port: expressions that are evaluated at once; both raise `ApiError` for a refusal."""

    def mutate(self, request: AdmissionRequest) -> JsonObject:
        """Return the object, changed or not."""
        ...

    def validate(self, request: AdmissionRequest) -> tuple[str, ...]:
        """Return warnings."""
        ...


class Admission:
    """Everybody who has a say, in the order in which they are asked."""

    def __init__(
        self,
        hooks: Sequence[AdmissionHook] = (),
        webhooks: Webhooks | None = None,
        *,
        policies: Policies | None = None,
        last: Sequence[AdmissionHook] = (),
    ) -> None:
        """`last` see what is about to be stored and may only refuse; nothing comes between them and the store."""
        self._hooks, self._webhooks, self._policies, self._last = hooks, webhooks, policies, last

    async def mutate(self, request: AdmissionRequest) -> Review:
        """Let everybody change the object. Subresources are not for hooks."""
        review = Review(request.object) if request.subresource else review_all(self._hooks, request)
        if _is_exempt(request):
            return review
        if self._policies is not None:
            changed = self._policies.mutate(dataclasses.replace(request, object=review.object))
            review = Review(changed, review.warnings)
        if self._webhooks is None:
            return review
        after = await self._webhooks.mutate(dataclasses.replace(request, object=review.object))
        return Review(after.object, (*review.warnings, *after.warnings))

    async def validate(self, request: AdmissionRequest) -> tuple[str, ...]:
        """Ask who may only refuse, about the object as it would be stored; returns warnings."""
        warnings: tuple[str, ...] = ()
        if self._policies is not None and not _is_exempt(request):
            warnings += self._policies.validate(request)
        if self._webhooks is not None and not _is_exempt(request):
            warnings += await self._webhooks.validate(request)
        if not request.subresource:
            review_all(self._last, request)
        return warnings


def _is_exempt(request: AdmissionRequest) -> bool:
    return request.is_own or request.resource.group == _OWN_GROUP


def review_all(hooks: Iterable[AdmissionHook], request: AdmissionRequest) -> Review:
    """Run every hook in order; the warnings of all of them are kept, in that order."""
    warnings: list[str] = []
    for hook in hooks:
        review = hook.review(request)
        warnings.extend(review.warnings)
        request = dataclasses.replace(request, object=review.object)
    return Review(request.object, tuple(warnings))
