"""Helmfile: `needs` orders the releases of one run, and `wait` lets a command end when Deployments are complete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bookmesh.release.exporting.description import Described, write

COMMENT: Final = """
helmfile.yaml, for Helmfile: releases in the order of their dependencies.
What it cannot say: that a contract is served. A release waits until the commands of those it needs are over, not until
routes send requests to what it requires; and one that is applied alone (--selector) waits for nobody.
"""


def export(releases: Sequence[Described]) -> str:
    return write(COMMENT, {"helmDefaults": {"wait": True}, "releases": [_release(one) for one in releases]})


def _release(one: Described) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": one.release.name,
        "namespace": one.release.namespace,
        "chart": one.chart,
    }
    if one.values:
        entry["values"] = [dict(one.values)]
    if one.needs:
        entry["needs"] = [f"{need.namespace}/{need.name}" for need in one.needs]
    return entry
