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


@dataclass(slots=True)
class Subscription:
    """
    State of one type on one stream. `has` maps names to the version that was sent last (accepted or not); `resources`
    is everything of this type that exists for the proxy.

    What the proxy lacks is kept up to date name by name, so that a change costs what it changes, however much else the
    proxy has. Whoever changes `resources` has to say so, by `replace` or `review`.
    """

    may_ask_for_all: bool
    resources: Mapping[str, Encoded] = field(default_factory=dict)
    wants_all: bool = False
    names: set[str] = field(default_factory=set)
    has: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    needs_answer: bool = False
    _outdated: set[str] = field(default_factory=set)
    _surplus: set[str] = field(default_factory=set)
    _absent: set[str] = field(default_factory=set)

    def start(self, subscribe: Iterable[str], has: Mapping[str, str]) -> None:
        """Take the first request of the stream for this type."""
        names = set(subscribe)
        self.wants_all = self.may_ask_for_all and (not names or ALL in names)
        self.names = names - {ALL}
        self.has = dict(has)
        self.unanswered = self.names - self.has.keys()
        # A proxy that starts with nothing waits for an answer, even an empty one.
        self.needs_answer = self.wants_all and not self.has
        self._review_all()

    def replace(self, resources: Mapping[str, Encoded], changed: Iterable[str] | None = None) -> None:
        """Set what exists; of the names, those in `changed` differ from what existed before (None: any may)."""
        self.resources = resources
        if changed is None:
            self._review_all()
        else:
            self._review(changed)

    def subscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name == ALL:
                self.wants_all = self.may_ask_for_all
                self.needs_answer = self.wants_all
                self._review_all()
            else:
                self.names.add(name)
                self.unanswered.add(name)
                self.has.pop(name, None)
                self._review((name,))

    def unsubscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name == ALL:
                self.wants_all = False
                self.has = {known: version for known, version in self.has.items() if known in self.names}
                self._review_all()
            else:
                self.names.discard(name)
                self.unanswered.discard(name)
                self.has.pop(name, None)
                self._review((name,))

    def forget(self, name: str) -> None:
        """Make `name` be sent again."""
        self.has.pop(name, None)
        self._review((name,))

    def take_back(self, updated: Iterable[str], removed: Iterable[str]) -> None:
        """Undo `mark_sent`: the proxy took nothing of that response."""
        for name in updated:
            self.has.pop(name, None)
            self._review((name,))
        for name in removed:
            self.has[name] = ""
            self._review((name,))

    def is_behind(self) -> bool:
        """Whether the proxy lacks anything."""
        return bool(self._outdated or self._surplus or self._absent or self.needs_answer)

    def difference(self) -> Difference:
        """What the proxy lacks of `resources`, names in order."""
        return Difference(
            updated=tuple(self.resources[name] for name in sorted(self._outdated)),
            absent=tuple(sorted(self._absent)),
            removed=tuple(sorted(self._surplus)),
            needs_answer=self.needs_answer,
        )

    def mark_sent(self, updated: Iterable[Encoded], removed: Iterable[str]) -> None:
        """Note that one response with these went out."""
        self.needs_answer = False
        for resource in updated:
            self.has[resource.name] = resource.version
            self.unanswered.discard(resource.name)
            self._review((resource.name,))
        for name in removed:
            self.has.pop(name, None)
            self.unanswered.discard(name)
            self._review((name,))

    def _review_all(self) -> None:
        self._outdated.clear()
        self._surplus.clear()
        self._absent.clear()
        self._review(self.names)
        if self.wants_all:
            self._review(self.resources)
        self._review(self.has)

    def _review(self, names: Iterable[str]) -> None:
        """Decide anew about each name whether the proxy lacks it, or has it in vain."""
        for name in names:
            resource = self.resources.get(name)
            is_wanted = resource is not None and (self.wants_all or name in self.names)
            if is_wanted and resource is not None and self.has.get(name) != resource.version:
                self._outdated.add(name)
            else:
                self._outdated.discard(name)
            if resource is None and name in self.has:
                self._surplus.add(name)
            else:
                self._surplus.discard(name)
            if resource is None and name in self.unanswered:
                self._absent.add(name)
            else:
                self._absent.discard(name)
