"""
What a release is going to be: its objects as Helm would install them, and what follows from them for others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts, serving
from bookmesh.release.contracts import Declared, ReleaseId, Requirement


@dataclass(frozen=True, slots=True)
class Intended:
    """
    `shares` are the tracks that its own routes will send requests to; None when no route decides. `strict` are those of
    them that nobody stands in for while they have no ready pod.
    """

    declared: Declared
    shares: frozenset[str] | None
    strict: frozenset[str] = frozenset()

    @property
    def release(self) -> ReleaseId:
        return self.declared.release

    def breaches(self, requirement: Requirement) -> list[str]:
        """Tracks that will get traffic and not satisfy a requirement of this release, sorted; empty if all do."""
        provides = self.declared.provides
        routed = [track for track in provides if self.shares is None or track in self.shares]
        return sorted(
            track
            for track in routed
            if (version := provides[track].get(requirement.contract)) is None
            or version not in requirement.versions
        )

    def serves_anything(self) -> bool:
        """Whether any track will get traffic."""
        return any(self.shares is None or track in self.shares for track in self.declared.provides)


def read(release: ReleaseId, objects: Sequence[JsonObject], requires: Sequence[Requirement] = ()) -> Intended:
    """
    Read a release from its objects; `requires` is what somebody else says that it needs, too.

    Raises:
        DeclarationError: an annotation is wrong.
    """
    declared = contracts.read(release, objects)
    together = tuple(dict.fromkeys((*declared.requires, *requires)))
    declared = Declared(release, together, declared.provides)
    view = serving.observe(release, objects)
    return Intended(declared, view.shares, view.strict)
