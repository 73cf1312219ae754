"""`helm lint --strict` has nothing to say about our charts, by Helm's own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import helm_python
import pytest
from tests.charts import rendering

WARNING = 2


def complaints(chart: Path) -> list[Any]:
    report = helm_python.lint(chart, strict=True, with_subcharts=True)
    assert report["total_charts_linted"] >= 1
    return [*(one for one in report["messages"] if one["severity"] >= WARNING), *report["errors"]]


@pytest.mark.parametrize("chart", [*rendering.NAMES, "microservice"])
def test_charts_are_clean(chart: str, tmp_path: Path) -> None:
    assert complaints(rendering.flat(chart, tmp_path)) == []


def test_a_chart_that_is_not_is_reported(tmp_path: Path) -> None:
    chart = rendering.flat("ratings", tmp_path)
    (chart / "templates" / "all.yaml").write_text("{{ .Values.nothing.at.all }}")
    assert complaints(chart)
