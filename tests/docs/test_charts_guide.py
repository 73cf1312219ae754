"""The chart that docs/guides/charts.md writes for a service of one's own: it is short, and it is whole."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import helm_python
import kubernetes_validate
import pytest
from tests.charts import rendering

from bookmesh.mesh.model import kinds, parsing

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "charts.md"
FILE = re.compile(r"```yaml\n# (charts/greeter/\S+)\n(.*?)```", re.DOTALL)
MOST_LINES = 12
COPY = "cp charts/microservice/values.schema.json charts/greeter/"


@pytest.fixture
def greeter(tmp_path: Path) -> Path:
    """The guide's files, beside our library as in this repository, with their dependency fetched from there."""
    shutil.copytree(rendering.CHARTS / "microservice", tmp_path / "charts" / "microservice")
    for name, text in FILE.findall(GUIDE.read_text()):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    chart = tmp_path / "charts" / "greeter"
    assert COPY in GUIDE.read_text()
    shutil.copy(tmp_path / COPY.split()[1], tmp_path / COPY.split()[2])
    helm_python.dependency_update(chart)
    return chart


def test_it_is_about_ten_lines(greeter: Path) -> None:
    written = [text for _, text in FILE.findall(GUIDE.read_text())]
    assert len(written) == 3
    assert sum(len(text.splitlines()) for text in written) <= MOST_LINES


def test_helm_has_nothing_to_say_about_it(greeter: Path) -> None:
    report = helm_python.lint(greeter, strict=True)
    assert [one for one in report["messages"] if one["severity"] >= 2] == []
    assert report["errors"] == []


def test_a_misspelt_key_is_refused(greeter: Path) -> None:
    with (
        helm_python.Chart.load(greeter) as chart,
        pytest.raises(helm_python.HelmError, match="'replicas' not allowed"),
    ):
        chart.render({"replicas": 2}, name="greeter", namespace="shop")


def test_it_makes_what_the_guide_says(greeter: Path) -> None:
    with helm_python.Chart.load(greeter) as chart:
        rendered = chart.render({}, name="greeter", namespace="shop", is_install=True)
    objects = rendering.objects("\n---\n".join(rendered.values()))
    names = {(one["kind"], one["metadata"]["name"]) for one in objects}
    assert names == {
        ("ServiceAccount", "greeter"),
        ("Service", "greeter"),
        ("Deployment", "greeter-v1"),
        ("Deployment", "greeter-v2"),
        ("DestinationRule", "greeter-v1"),
        ("DestinationRule", "greeter-v2"),
        ("VirtualService", "greeter"),
    }
    for one in objects:
        if kinds.kind_for(one["apiVersion"], one["kind"]):
            assert parsing.parse({**one, "metadata": {"namespace": "shop", **one["metadata"]}}).findings == ()
        else:
            kubernetes_validate.validate(json.loads(json.dumps(one)), "1.37", strict=True)
