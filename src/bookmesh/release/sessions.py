"""
What commands do first: read the file, render, look at what is installed, and check everything that can be checked then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bookmesh.base.findings import Finding
from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import contracts, files, intentions, judging, planning, serving
from bookmesh.release.contracts import Declared, ReleaseId, Requirement
from bookmesh.release.files import Wanted
from bookmesh.release.intentions import Intended
from bookmesh.release.ports import Cluster, Helm, HelmFailedError, Installed


@dataclass(frozen=True, slots=True)
class Session:
    """Everything a run needs to know; with findings, it must not be carried out. All maps are by release."""

    plan: planning.Plan
    wanted: Mapping[ReleaseId, Wanted]
    rendered: Mapping[ReleaseId, Sequence[JsonObject]]
    intended: Mapping[ReleaseId, Intended]
    installed: Mapping[ReleaseId, Installed]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Checked:
    """A requirement of an installed release, judged."""

    release: ReleaseId
    requirement: Requirement
    verdict: judging.Verdict


def open_session(path: Path, helm: Helm) -> Session:
    """
    Read a file of releases and plan it.

    Raises:
        BookmeshError: BM0601. HelmFailedError. DeclarationError.
    """
    return plan(files.load(path), helm)


def plan(releases: Sequence[Wanted], helm: Helm) -> Session:
    """
    Plan releases that were read.

    Raises:
        HelmFailedError, DeclarationError.
    """
    wanted = {one.release: one for one in releases}
    rendered = {release: helm.render(one) for release, one in wanted.items()}
    intended = {
        release: intentions.read(release, rendered[release], one.requires) for release, one in wanted.items()
    }
    installed = _installed(helm, {release.namespace for release in wanted})
    built, findings = planning.build(list(intended.values()), [_declared(one) for one in installed.values()])
    return Session(built, wanted, rendered, intended, installed, findings)


def plan_offline(path: Path, helm: Helm) -> Session:
    """
    Plan a file of releases as if nothing were installed, without asking a cluster.

    Raises:
        BookmeshError: BM0601. HelmFailedError, DeclarationError.
    """
    wanted = {one.release: one for one in files.load(path)}
    rendered = {release: helm.render(one) for release, one in wanted.items()}
    intended = {
        release: intentions.read(release, rendered[release], one.requires) for release, one in wanted.items()
    }
    built, findings = planning.build(list(intended.values()))
    return Session(built, wanted, rendered, intended, {}, findings)


def check_installed(namespace: str, helm: Helm, cluster: Cluster) -> list[Checked]:
    """Judge what all releases of a namespace require, in the order of their names."""
    checked = []
    for one in sorted(helm.installed(namespace), key=lambda one: one.release):
        for need in _declared(one).requires:
            view = serving.observe(need.release, cluster.objects(need.release.namespace))
            checked.append(Checked(one.release, need, judging.judge(need, view)))
    return checked


def check_rollback(release: ReleaseId, revision: int, helm: Helm) -> list[Finding]:
    """
    Find what others would miss if a release went back to a revision.

    Raises:
        HelmFailedError: there is no such revision, or no such release. DeclarationError.
    """
    after = intentions.read(release, _manifest(release, revision, helm))
    others = _installed(helm, {release.namespace}).values()
    return planning.blocked_changes(after, [_declared(one) for one in others])


def check_uninstall(leaving: Sequence[ReleaseId], helm: Helm) -> tuple[list[ReleaseId], list[Finding]]:
    """
    The order in which releases can go, and what others would miss.

    Releases that are not installed are kept in the order, so that Helm says so.
    """
    installed = _installed(helm, {one.namespace for one in leaving})
    declared = {release: _declared(one) for release, one in installed.items()}
    going = [declared.get(one, Declared(one)) for one in dict.fromkeys(leaving)]
    return planning.removal_order(going), planning.blocked_removals(leaving, declared.values())


def _manifest(release: ReleaseId, revision: int, helm: Helm) -> list[JsonObject]:
    """Of what is not there Helm says no name."""
    try:
        return helm.manifest(release, revision)
    except HelmFailedError as error:
        if "not found" not in str(error):
            raise
        newest = {one.release: one.revision for one in helm.installed(release.namespace)}
        if release in newest:
            text = f"release {release} has no revision {revision}: it is at {newest[release]}, and old ones are dropped"
        else:
            names = ", ".join(sorted(one.name for one in newest)) or "none"
            text = f"there is no release {release.name} in namespace {release.namespace}, which has: {names}"
        raise HelmFailedError(text) from error


def _declared(one: Installed) -> Declared:
    return contracts.read(one.release, one.manifest)


def _installed(helm: Helm, namespaces: set[str]) -> dict[ReleaseId, Installed]:
    found = (one for namespace in sorted(namespaces) for one in helm.installed(namespace))
    return {one.release: one for one in found}
