"""What a chart says after an installation: commands that work on what it has installed."""

from __future__ import annotations

import re
from typing import Any

import helm_python
import pytest
import yaml
from tests.charts import rendering

NAMED = re.compile(r"\b(deployment|service)/([a-z0-9-]+)")
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    *((chart, {}) for chart in rendering.NAMES),
    (
        "reviews",
        {"routing": {"kind": "VirtualService"}, "versions": {"v1": {"weight": 90}, "v2": {"weight": 10}}},
    ),
)


@pytest.mark.parametrize(("chart", "values"), CASES)
def test_the_next_commands_name_what_is_there(chart: str, values: dict[str, Any]) -> None:
    with helm_python.Chart.load(rendering.CHARTS / chart) as loaded:
        files = loaded.render(values, name="demo", namespace="shop", is_install=True)
    (notes,) = [text for name, text in files.items() if name == f"{chart}/templates/NOTES.txt"]
    objects = [
        one
        for name, text in files.items()
        if name.endswith(".yaml")
        for one in yaml.safe_load_all(text)
        if one
    ]
    there = {(one["kind"].lower(), one["metadata"]["name"]) for one in objects}
    named = set(NAMED.findall(notes))
    assert {kind for kind, _ in named} == {"deployment", "service"}
    assert named <= there
    assert "--namespace shop" in notes


def test_the_notes_say_who_gets_the_traffic() -> None:
    chart, values = CASES[-1]
    with helm_python.Chart.load(rendering.CHARTS / chart) as loaded:
        files = loaded.render(values, name="demo", namespace="shop", is_install=True)
    assert "Traffic, in percent: v1 90, v2 10, v3 0." in files[f"{chart}/templates/NOTES.txt"]


@pytest.mark.parametrize(
    ("routing", "warns"),
    [
        ({"kind": "HTTPRoute"}, True),
        ({"kind": "VirtualService", "failover": False}, True),
        ({"kind": "VirtualService"}, False),
    ],
)
def test_the_notes_warn_where_nobody_stands_in(routing: dict[str, Any], *, warns: bool) -> None:
    chart, values = CASES[-1]
    with helm_python.Chart.load(rendering.CHARTS / chart) as loaded:
        files = loaded.render({**values, "routing": routing}, name="demo", namespace="shop", is_install=True)
    warning = "go back to one that is\ngone with `bookmesh release rollback demo`"
    assert (warning in files[f"{chart}/templates/NOTES.txt"]) is warns
