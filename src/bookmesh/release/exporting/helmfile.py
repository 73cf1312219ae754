"""Helmfile: `needs` orders the releases of one run, and `wait` lets a command end when Deployments are complete."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, Final

from bookmesh.release.contracts import ReleaseId
from bookmesh.release.exporting.description import Described, write

COMMENT: Final = """
helmfile.yaml, for Helmfile: releases in the order of their dependencies.
What it cannot say: that a contract is served. A release waits until the commands of those it needs are over, not until
routes send requests to what it requires; and one that is applied alone (--selector) waits for nobody.
"""


def export(releases: Sequence[Described]) -> str:
    """Only releases of the file are needed: Helmfile refuses a file that names others."""
    inside = {one.release for one in releases}
    outside = [
        f"Release {one.release} needs {need}, which is not in this file: nothing looks whether it is there."
        for one in releases
        for need in one.needs
        if need not in inside
    ]
    file = {"helmDefaults": {"wait": True}, "releases": [_release(one, inside) for one in releases]}
    return write("\n".join((COMMENT.strip(), *outside)), file)


def _release(one: Described, inside: Set[ReleaseId]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": one.release.name,
        "namespace": one.release.namespace,
        "chart": one.chart,
    }
    if one.values:
        entry["values"] = [dict(one.values)]
    if needs := [f"{need.namespace}/{need.name}" for need in one.needs if need in inside]:
        entry["needs"] = needs
    return entry
