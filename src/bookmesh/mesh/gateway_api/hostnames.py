"""Hosts of routes and listeners: what two have in common, and which of several listeners a host belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bookmesh.mesh.snapshot import hosts

ANY = "*"


def intersection(route: str, listener: str) -> str | None:
    """
    The requests that a host of a route and the host of a listener both mean; None when there are none.

    Either may be `*` for all, or start with `*.`, which stands for one or more labels.
    """
    return hosts.narrower(route.lower(), listener.lower())


def intersections(route: Sequence[str], listener: str) -> tuple[str, ...]:
    """All intersections of a route's hosts (none: every host) with a listener's ("" for every host), in order."""
    found = (intersection(host, listener or ANY) for host in route or (ANY,))
    return tuple(dict.fromkeys(host for host in found if host is not None))


def belongs_elsewhere(host: str, listener: str, others: Iterable[str]) -> bool:
    """
    Whether one of the other listeners of the same port and protocol is more specific about a host than this one.

    A request belongs to the most specific listener only, whether or not that one has a route for it.
    """
    own = listener.lower() or ANY
    for other in {other.lower() or ANY for other in others} - {own}:
        if hosts.matches(other, host) and hosts.matches(own, other):
            return True
    return False
