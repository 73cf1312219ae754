"""
What callers meet between the moment that Helm writes a release, all at once, and the moment that its pods are there.

Routes change at once and pods one by one. So a track that gets traffic answers with its pods of today until they are
replaced, and while a track with traffic has no ready pod, others stand in for it: those with traffic, or any if there
is none, and for a moment those that are about to go. `bookmesh release apply` does not come into this, since it brings
up first what is going to get traffic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bookmesh.base.findings import Finding
from bookmesh.release import ranges
from bookmesh.release.contracts import Declared, Provided, Requirement
from bookmesh.release.intentions import Intended
from bookmesh.release.serving import Serving

STEPWISE: Final = (
    "upgrade its pods while they have weight 0, and give them traffic in an upgrade of its own; or use "
    "`bookmesh release apply`, which does that"
)


def find_breaches(intended: Intended, installed: Iterable[Declared], now: Serving) -> list[Finding]:
    """Find requirements that would not be satisfied for a while, each once for a track and what it serves."""
    served = list(_newly_served(intended, now))
    found: dict[tuple[Requirement, str, ranges.Version | None], Finding] = {}
    for one in installed:
        for need in one.requires:
            if one.release == intended.release or need.release != intended.release:
                continue
            for track, provided, until in served:
                version = provided.get(need.contract)
                if version is None or version not in need.versions:
                    text = f"{ranges.render_version(version) if version else 'nothing'} by track {track}, {until}"
                    found.setdefault((need, track, version), _finding(one, need, text))
    return list(found.values())


def _newly_served(intended: Intended, now: Serving) -> Iterator[tuple[str, Provided, str]]:
    """Yield what callers may meet that they do not meet today, and that the release does not intend to serve."""
    ready = {one.track for one in now.backends if one.is_ready}
    standing_in = _standing_in(intended, ready)
    exposed = standing_in | (ready if intended.shares is None else ready & intended.shares)
    for one in now.backends:
        if one.is_ready and one.track in exposed and not now.is_routed(one.track):
            yield one.track, one.provides, "whose pods of today get traffic before they are replaced"
    for track in sorted(standing_in & intended.declared.provides.keys()):
        yield track, intended.declared.provides[track], "which stands in for one without a ready pod"


def _standing_in(intended: Intended, ready: set[str]) -> set[str]:
    """Tracks that answer for others until these have ready pods."""
    if intended.shares is None or not intended.shares - intended.strict - ready:
        return set()
    leaving = ready - intended.declared.provides.keys()
    return leaving | ((ready & intended.shares) or ready)


def _finding(caller: Declared, need: Requirement, text: str) -> Finding:
    return Finding(
        code="BM0623",
        message=f"release {caller.release} requires {need}, and would not get it for a while",
        known=f"{need.contract} would be served as: {text}",
        hint=STEPWISE,
    )
