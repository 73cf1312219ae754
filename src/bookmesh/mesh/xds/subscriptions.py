"""
What one proxy asked for of one resource type, and what it has.

The rules of the delta protocol live here alone:

- Clusters and listeners may be subscribed to as a whole: by `*`, or by a first request that names nothing.
- Asking again for a name is a demand to get it again, whatever was sent before.
- A name that does not exist is answered once, as removed, so that the proxy can stop waiting.
- After a reconnect the first request says which versions the proxy still has; those are not sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bookmesh.mesh.xds.resources import Encoded

ALL = "*"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a proxy lacks. `absent` are names it asked for that do not exist; `removed` it has and should not."""

    updated: tuple[Encoded, ...]
    absent: tuple[str, ...]
    removed: tuple[str, ...]
    needs_answer: bool

    def __bool__(self) -> bool:
        return bool(self.updated or self.absent or self.removed or self.needs_answer)


@dataclass(slots=True)
class Subscription:
    """State of one type on one stream. `has` maps names to the version that was sent last (accepted or not)."""

    may_ask_for_all: bool
    wants_all: bool = False
    names: set[str] = field(default_factory=set)
    has: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    needs_answer: bool = False

    def start(self, subscribe: Iterable[str], has: Mapping[str, str]) -> None:
        """Take the first request of the stream for this type."""
        names = set(subscribe)
        self.wants_all = self.may_ask_for_all and (not names or ALL in names)
        self.names = names - {ALL}
        self.has = dict(has)
        self.unanswered = self.names - self.has.keys()
        # A proxy that starts with nothing waits for an answer, even an empty one.
        self.needs_answer = self.wants_all and not self.has

    def subscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name == ALL:
                self.wants_all = self.may_ask_for_all
                self.needs_answer = self.wants_all
            else:
                self.names.add(name)
                self.unanswered.add(name)
                self.has.pop(name, None)

    def unsubscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name == ALL:
                self.wants_all = False
                self.has = {known: version for known, version in self.has.items() if known in self.names}
            else:
                self.names.discard(name)
                self.unanswered.discard(name)
                self.has.pop(name, None)

    def forget(self, name: str) -> None:
        """Make `name` be sent again."""
        self.has.pop(name, None)

    def take_back(self, updated: Iterable[str], removed: Iterable[str]) -> None:
        """Undo `mark_sent`: the proxy took nothing of that response."""
        for name in updated:
            self.has.pop(name, None)
        for name in removed:
            self.has[name] = ""

    def difference(self, resources: Mapping[str, Encoded]) -> Difference:
        """Compare what the proxy has with `resources`, everything of this type that exists for it."""
        wanted = resources.keys() if self.wants_all else sorted(self.names & resources.keys())
        return Difference(
            updated=tuple(
                resources[name] for name in wanted if self.has.get(name) != resources[name].version
            ),
            absent=tuple(sorted(self.unanswered - resources.keys())),
            removed=tuple(sorted(self.has.keys() - resources.keys())),
            needs_answer=self.needs_answer,
        )

    def mark_sent(self, updated: Iterable[Encoded], removed: Iterable[str]) -> None:
        """Note that one response with these went out."""
        self.needs_answer = False
        for resource in updated:
            self.has[resource.name] = resource.version
            self.unanswered.discard(resource.name)
        for name in removed:
            self.has.pop(name, None)
            self.unanswered.discard(name)
