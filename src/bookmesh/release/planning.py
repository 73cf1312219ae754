"""
Which releases come when: waves, each of which may go ahead when the ones before it serve what they promise.

A release waits for those in the plan that it requires something of; what it requires of others has to be there already.
Refused before anything is changed: a circle, a requirement that will not be satisfied by what the other release is
going to be, and an upgrade that the callers of today could not live with until their own turn comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.base.findings import Finding
from bookmesh.release import ranges
from bookmesh.release.contracts import Declared, ReleaseId, Requirement
from bookmesh.release.intentions import Intended

EXPAND: Final = (
    "expand, then contract: add a track that serves the new contract beside the old one, move the callers, then retire "
    "the old track"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`waves` in order; the releases of one are independent of each other, and sorted."""

    waves: tuple[tuple[ReleaseId, ...], ...]


def build(intended: Sequence[Intended], installed: Sequence[Declared] = ()) -> tuple[Plan, list[Finding]]:
    """
    Put releases in order, and find what is in the way; with findings, the plan must not be carried out.

    Args:
        installed: all releases of the cluster that declare anything, as they are today.
    """
    known = {one.release: one for one in intended}
    needs = {
        one.release: {need.release for need in one.declared.requires if need.release in known}
        for one in intended
    }
    circle = find_circle(needs)
    if circle:
        return Plan(()), [_circle_finding(circle, known)]
    plan = Plan(tuple(waves(needs)))
    findings = [*_broken_promises(known), *_broken_callers(plan, known, installed)]
    return plan, findings


def waves(needs: Mapping[ReleaseId, set[ReleaseId]]) -> Iterator[tuple[ReleaseId, ...]]:
    """Yield what can go at the same time, those that need nothing first; `needs` has no circle."""
    left = dict(needs)
    while left:
        ready = tuple(sorted(one for one, needed in left.items() if not needed & left.keys()))
        yield ready
        for one in ready:
            del left[one]


def find_circle(needs: Mapping[ReleaseId, set[ReleaseId]]) -> list[ReleaseId]:
    """Return releases that each need the next, and the last the first; empty when there is no such circle."""
    done: set[ReleaseId] = set()
    for start in sorted(needs):
        path: list[ReleaseId] = []
        branches = [iter([start] if start not in done else [])]
        while branches:
            following = next(branches[-1], None)
            if following is None:
                branches.pop()
                if path:
                    done.add(path.pop())
            elif following in path:
                return path[path.index(following) :]
            elif following not in done:
                path.append(following)
                branches.append(iter(sorted(needs[following])))
    return []


def removal_order(leaving: Iterable[Declared]) -> list[ReleaseId]:
    """Callers first, then what they called; a circle is removed in any order."""
    left = {one.release: {need.release for need in one.requires} for one in leaving}
    order: list[ReleaseId] = []
    while left:
        needed = set[ReleaseId]().union(*(needs - {one} for one, needs in left.items()))
        free = sorted(left.keys() - needed) or sorted(left)
        order += free
        for one in free:
            del left[one]
    return order


def blocked_removals(leaving: Iterable[ReleaseId], installed: Iterable[Declared]) -> list[Finding]:
    """Find releases that stay and require something of one that goes."""
    going = set(leaving)
    return [
        Finding(
            code="BM0605",
            message=f"release {one.release} still requires {need}",
            hint=f"change or remove {one.release.name} first, or remove both",
        )
        for one in installed
        if one.release not in going
        for need in one.requires
        if need.release in going
    ]


def blocked_changes(after: Intended, installed: Iterable[Declared]) -> list[Finding]:
    """Find what installed releases require and would miss if one of them became `after`."""
    return [
        _caller_finding(one.release, need, after, hint=f"change {one.release.name} first")
        for one in installed
        if one.release != after.release
        for need in one.requires
        if need.release == after.release and not _satisfies(after, need)
    ]


def _broken_promises(known: Mapping[ReleaseId, Intended]) -> Iterator[Finding]:
    for one in known.values():
        for need in one.declared.requires:
            other = known.get(need.release)
            if other is None or _satisfies(other, need):
                continue
            contracts = {name for provides in other.declared.provides.values() for name in provides}
            if need.contract not in contracts:
                yield Finding(
                    code="BM0603",
                    message=f"release {one.release} requires {need}, which has no such contract",
                    known=f"contracts of {other.release.name}: {', '.join(sorted(contracts)) or 'none'}",
                    hint="correct the name, or let the chart say what it provides",
                )
            else:
                yield _caller_finding(
                    one.release,
                    need,
                    other,
                    hint=f"plan another version of {other.release.name}, or widen the range",
                )


def _broken_callers(
    plan: Plan, known: Mapping[ReleaseId, Intended], installed: Iterable[Declared]
) -> Iterator[Finding]:
    """What runs today calls what is new until it is replaced itself, or for good when it is not in the plan."""
    turn = {release: number for number, wave in enumerate(plan.waves) for release in wave}
    for one in installed:
        for need in one.requires:
            other = known.get(need.release)
            if (
                other is None
                or turn.get(one.release, len(turn)) < turn[other.release]
                or _satisfies(other, need)
            ):
                continue
            yield _caller_finding(one.release, need, other, hint=EXPAND, who="as installed")


def _satisfies(other: Intended, need: Requirement) -> bool:
    return other.serves_anything() and not other.breaches(need)


def _caller_finding(
    by: ReleaseId, need: Requirement, other: Intended, *, hint: str, who: str = ""
) -> Finding:
    served = []
    for track in other.breaches(need):
        version = other.declared.provides[track].get(need.contract)
        served.append(f"{ranges.render_version(version) if version else 'nothing'} by track {track}")
    return Finding(
        code="BM0604",
        message=f"release {by}{f' ({who})' if who else ''} requires {need}, and would not get it",
        known=f"{need.contract} would be served as: {', '.join(served) or 'no track gets traffic'}",
        hint=hint,
    )


def _circle_finding(circle: Sequence[ReleaseId], known: Mapping[ReleaseId, Intended]) -> Finding:
    edges = []
    for position, release in enumerate(circle):
        following = circle[(position + 1) % len(circle)]
        need = next(one for one in known[release].declared.requires if one.release == following)
        edges.append(f"{release.name} requires {need}")
    return Finding(
        code="BM0602",
        message=f"releases wait for each other: {' -> '.join(one.name for one in [*circle, circle[0]])}",
        known="; ".join(edges),
        hint=EXPAND,
    )
