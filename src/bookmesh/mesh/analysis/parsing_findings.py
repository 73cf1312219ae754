"""BM0201, BM0205 and BM0210: what could not be parsed, and fields without effect; found while parsing."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    yield from snapshot.findings
    for parsed in snapshot.configs:
        yield from parsed.findings
