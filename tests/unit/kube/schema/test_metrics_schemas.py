"""Metrics have schemas as other kinds do."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import builtin_kinds, kinds, schemas, validation

NODE = {
    "metadata": {"name": "n"},
    "timestamp": "2026-01-01T00:00:00Z",
    "window": "10s",
    "usage": {"cpu": "5m"},
}
POD = {**NODE, "containers": [{"name": "main", "usage": {"cpu": "5m", "memory": "1Mi"}}]}
del POD["usage"]


@pytest.mark.parametrize(("kind", "good"), [("NodeMetrics", NODE), ("PodMetrics", POD)])
def test_what_is_measured_fits(kind: str, good: JsonObject) -> None:
    known = schemas.Schemas.load()
    (served,) = (each for each in kinds.parse_table(builtin_kinds.METRICS) if each.kind == kind)
    assert validation.check(known, served, good) == []
    assert validation.check(known, served, {**good, "window": 10})
    assert f"io.k8s.metrics.pkg.apis.metrics.v1beta1.{kind}" in known.components(
        [(served.group, served.version, served.kind)]
    )
