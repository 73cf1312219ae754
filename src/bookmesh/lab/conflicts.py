"""
A lab that is there and is wanted otherwise: whoever asks has to choose, since nothing of it is changed on the way.

All raise BookmeshError with exit code 2.
"""

from __future__ import annotations

from collections.abc import Mapping

from bookmesh.base import findings
from bookmesh.lab import audits, extents, labs, paths


def check_running(
    lab: paths.LabPaths,
    settings: labs.LabSettings,
    *,
    port: int | None,
    extent: extents.Extent,
    real_internet: bool | None,
    hosts: str | None,
    size: Mapping[str, str] | None,
) -> None:
    """
    Check that a lab that runs is as it is wanted; None is for what does not matter.

    Raises:
        BookmeshError: BM0106, or BM0147 when it is its size that differs.
    """
    differs = ""
    if extent is not settings.extent:
        differs = f"{settings.extent.described}, not {extent.described}"
    elif port not in (None, settings.port):
        differs = f"with its API server on port {settings.port}, not {port}"
    elif real_internet not in (None, settings.real_internet):
        kinds = ("real", "simulated") if settings.real_internet else ("simulated", "real")
        differs = f"with the {kinds[0]} Internet, not the {kinds[1]} one"
    elif hosts is not None and hosts != (lab.hosts.read_text() if lab.hosts.exists() else ""):
        differs = "with other hosts in its simulated Internet"
    if differs:
        raise _other(lab, differs)
    if size is not None and dict(size) != dict(settings.size):
        raise _other_size(lab, settings)


def check_audit(lab: paths.LabPaths, settings: labs.LabSettings, audit: audits.Wanted | None) -> None:
    """
    Check that a lab that runs writes down requests as it is wanted; None is for what does not matter.

    Raises:
        BookmeshError: BM0106.
    """
    if audit is None:
        return
    if not settings.audit_log:
        raise _other(lab, "without an audit log")
    if settings.audit_log != str(audit.log):
        raise _other(lab, f"with its audit log in {settings.audit_log}")
    if lab.audit_policy.read_text() != audit.policy:
        raise _other(lab, "with another audit policy")


def _other(lab: paths.LabPaths, differs: str) -> findings.BookmeshError:
    return findings.BookmeshError(
        findings.Finding(
            code="BM0106",
            message=f'the lab "{lab.name}" is running already, {differs}',
            hint=f'use it as it is, run "bookmesh down --name {lab.name}" first, or use another --name',
        ),
        exit_code=2,
    )


def _other_size(lab: paths.LabPaths, settings: labs.LabSettings) -> findings.BookmeshError:
    offered = ", ".join(f"{name} {quantity}" for name, quantity in settings.size.items())
    return findings.BookmeshError(
        findings.Finding(
            code="BM0147",
            message=f'the node of "{lab.name}" runs already, in another size',
            known=offered or "it is as large as the machine, and requests are not added up",
            hint=f'run "bookmesh down --name {lab.name}" first, or use another --name',
        ),
        exit_code=2,
    )


def check_store(lab: paths.LabPaths, settings: labs.LabSettings, extent: extents.Extent) -> None:
    """
    Check that objects of a mesh meet a mesh, and others none.

    Raises:
        BookmeshError: BM0140.
    """
    has_mesh = settings.extent is extents.Extent.MESH
    if has_mesh is (extent is extents.Extent.MESH):
        return
    again = f"bookmesh up --name {lab.name}" if has_mesh else f"bookmesh kube up --name {lab.name}"
    raise findings.BookmeshError(
        findings.Finding(
            code="BM0140",
            message=f'"{lab.name}" was made {settings.extent.described}, and cannot come back {extent.described}',
            hint=f'"{again}" brings it back, "bookmesh down --name {lab.name}" removes it; or use another --name',
        ),
        exit_code=2,
    )
