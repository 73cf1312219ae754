"""Helm's draft HIP-0025: one chart around all releases, whose subcharts depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bookmesh.release.exporting.description import Described, write

COMMENT: Final = """
Chart.yaml and values.yaml of one chart around all releases, in the words of Helm's HIP-0025, for --wait=ordered.
The proposal is a draft for charts of apiVersion v3. Helm 4.3 refuses those and --wait=ordered; it takes this one, and
does not look at depends-on.
What it cannot say: anything about releases of their own. Everything is one release in one namespace, which waits until
Deployments are ready, whatever they serve; and its parts cannot be upgraded or rolled back alone.
"""


def export(releases: Sequence[Described]) -> str:
    inside = {one.release for one in releases}
    chart = {
        "apiVersion": "v2",
        "name": "releases",
        "version": "0.1.0",
        "dependencies": [_dependency(one, inside) for one in releases],
    }
    return write(COMMENT, chart, {one.release.name: dict(one.values) for one in releases})


def _dependency(one: Described, inside: set[Any]) -> dict[str, Any]:
    name = one.chart.rpartition("/")[2]
    entry: dict[str, Any] = {"name": name, "version": one.chart_version, "repository": f"file://{one.chart}"}
    if name != one.release.name:
        entry["alias"] = one.release.name
    if needs := [need.name for need in one.needs if need in inside]:
        entry["depends-on"] = needs
    return entry
