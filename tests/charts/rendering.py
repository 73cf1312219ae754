"""Render our charts with Helm's own library, without a cluster."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHARTS = Path(__file__).parents[2] / "charts"
NAMES = ("bookinfo", "details", "productpage", "ratings", "reviews")
RELEASED = Path(__file__).parent / "released"
"""Packages of earlier versions, as people may have them installed: VERSION/CHART-VERSION.tgz."""


def render(chart: str, values: dict[str, Any], *, release: str = "demo") -> str:
    """
    What Helm would install, hooks and notes left out, in the order of the templates.

    Raises:
        HelmError: a template or the schema refuses the values; the text says why.
    """
    with helm_python.Chart.load(CHARTS / chart) as loaded:
        files = loaded.render(values, name=release, namespace="shop", is_install=True)
    wanted = [
        text for path, text in sorted(files.items()) if path.endswith(".yaml") and "/tests/" not in path
    ]
    return "".join(text.strip("\n") + "\n" for text in wanted if text.strip())


def objects(text: str) -> list[dict[str, Any]]:
    """The objects of a render."""
    return [document for document in yaml.safe_load_all(text) if document]


def flat(chart: str, folder: Path) -> Path:
    """A copy of a chart with its library in it instead of a link, as a package has it."""
    return Path(shutil.copytree(CHARTS / chart, folder / chart))
