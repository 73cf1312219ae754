"""
Whether one release may change now, asked from inside of a cluster: the gate for those who run Helm themselves.

A chart says what it is going to be in a line of JSON, its declaration, to a Job that Helm starts before anything else:

    {"release": "reviews", "namespace": "shop", "requires": [{"release", "contract", "range", "namespace"?}],
     "provides": {TRACK: {CONTRACT: VERSION}}, "routed": [TRACK] | null, "strict": [TRACK]}

`routed` are the tracks that routes will send requests to, null when no route decides; `strict` those of them that
nobody stands in for, all when it is left out. The rules are those of a plan: what it requires is served, callers of
today can live with it, and no strict track gets traffic before it has a pod. One more follows from Helm writing
everything at once: pods of today that get new traffic, or stand in for a while, serve what callers can live with, too.
Callers in other namespaces than its own are not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bookmesh.base.findings import Finding
from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts, judging, meanwhile, planning, ranges, serving
from bookmesh.release.contracts import DeclarationError, Declared, ReleaseId, Requirement
from bookmesh.release.intentions import Intended
from bookmesh.release.ports import Cluster
from bookmesh.release.waiting import NotServedError, Patience

STEPWISE: Final = (
    "give it weight 0 first, and traffic in an upgrade of its own; or let others stand in for it meanwhile, "
    "`routing.failover`; or use `bookmesh release apply`"
)


class _Needed(msgspec.Struct, forbid_unknown_fields=True):
    release: str
    contract: str
    range: str
    namespace: str = ""


class _Declaration(msgspec.Struct, forbid_unknown_fields=True):
    release: str
    namespace: str
    requires: list[_Needed] = []
    provides: dict[str, dict[str, str]] = {}
    routed: list[str] | None = None
    strict: list[str] | None = None


def parse(text: str) -> Intended:
    """
    Read a declaration.

    Raises:
        DeclarationError: it is none.
    """
    try:
        found = msgspec.json.decode(text, type=_Declaration)
        requires = tuple(
            Requirement(
                ReleaseId(one.namespace or found.namespace, one.release),
                one.contract,
                ranges.parse_range(one.range),
            )
            for one in found.requires
        )
        provides = {
            track: {contract: ranges.parse_version(version) for contract, version in versions.items()}
            for track, versions in found.provides.items()
        }
    except ValueError as error:
        raise DeclarationError(f"not a declaration of a release: {error}") from error
    shares = None if found.routed is None else frozenset(found.routed)
    strict = (shares or frozenset()) if found.strict is None else frozenset(found.strict)
    return Intended(Declared(ReleaseId(found.namespace, found.release), requires, provides), shares, strict)


def check(intended: Intended, cluster: Cluster, patience: Patience) -> list[Finding]:
    """
    Wait until a release may change; empty when it may, else what is in the way.

    Requirements are waited for. What the release would do to others no waiting makes better.

    Raises:
        ClusterFailedError. DeclarationError: an annotation in the cluster is wrong.
    """
    seen = cluster.objects(intended.release.namespace)
    calling = list(callers(seen, intended.release.namespace))
    findings = [*planning.blocked_changes(intended, calling)]
    findings += idle_tracks(intended, seen)
    findings += meanwhile.find_breaches(intended, calling, serving.observe(intended.release, seen))
    if not findings:
        findings += _unserved(intended, cluster, patience)
    return findings


def callers(objects: Iterable[JsonObject], namespace: str) -> Iterator[Declared]:
    """What the releases of a namespace require, read from their Services."""
    for obj in objects:
        name = (obj["metadata"].get("labels") or {}).get(contracts.INSTANCE)
        if obj["kind"] == "Service" and name is not None:
            requires = contracts.requirements_of(obj, namespace)
            yield Declared(ReleaseId(namespace, name), tuple(requires))


def idle_tracks(intended: Intended, seen: Sequence[JsonObject]) -> list[Finding]:
    """Find tracks whose requests would fail, since they have no ready pod, while others of the release serve people."""
    view = serving.observe(intended.release, seen)
    ready = {one.track for one in view.backends if one.is_ready}
    if not any(view.is_routed(track) for track in ready):
        return []
    idle = intended.strict - ready
    if not ready & intended.declared.provides.keys():
        # Nobody stays who could answer, or stand in.
        idle = frozenset(intended.declared.provides if intended.shares is None else intended.shares)
    return [
        Finding(
            code="BM0621",
            message=f"track {track} of release {intended.release} would get traffic, and has no ready pod",
            known=f"tracks with ready pods: {', '.join(sorted(ready))}",
            hint=STEPWISE,
        )
        for track in sorted(idle)
    ]


def _unserved(intended: Intended, cluster: Cluster, patience: Patience) -> Iterator[Finding]:
    for need in intended.declared.requires:

        def look(need: Requirement = need) -> str:
            view = serving.observe(need.release, cluster.objects(need.release.namespace))
            verdict = judging.judge(need, view)
            return "" if verdict.is_satisfied else verdict.reason

        try:
            patience.wait_for(intended.release, look, f"{need}: ")
        except NotServedError as error:
            yield Finding(
                code="BM0620",
                message=f"release {intended.release} has to wait: it requires {need}",
                known=str(error),
                hint=f"upgrade {need.release.name} first",
            )
