"""
Write what the charts render into kustomize/, for people without Helm; `--check` fails when something is not up to date.

Each file of objects comes from a chart and values; what only Helm has a use for is left out. The kustomization.yaml
files beside them are written by hand, and tests compare what they build with what the charts render.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import helm_python
import yaml

ROOT = Path(__file__).parent.parent
HEAD = "# Generated from the charts: make gen\n"
HELM_LABELS = ("helm.sh/chart", "app.kubernetes.io/managed-by")
ROUTING = {"kind": "VirtualService"}
FILES: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    # file: (chart, values, kinds; all when empty)
    "base/bookinfo.yaml": ("bookinfo", {}, set()),
    "istio/reviews.yaml": (
        "reviews",
        {"routing": ROUTING, "versions": {"v1": {"weight": 90}, "v2": {"weight": 10}, "v3": {"weight": 0}}},
        {"DestinationRule", "VirtualService"},
    ),
    "istio/ingress.yaml": (
        "productpage",
        {"routing": ROUTING, "ingress": {"kind": "Gateway"}},
        {"DestinationRule", "VirtualService", "Gateway"},
    ),
}


def objects(chart: str, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a chart renders, without hooks, and as if no Helm were there, by kind and name."""
    with tempfile.TemporaryDirectory() as folder:
        flat = copytree(ROOT / "charts" / chart, Path(folder) / chart)
        with helm_python.Chart.load(flat) as loaded:
            files = loaded.render(values, name="bookinfo", namespace="default", is_install=True)
    found = [
        one
        for name, text in files.items()
        if name.endswith(".yaml")
        for one in yaml.safe_load_all(text)
        if one and "helm.sh/hook" not in (one["metadata"].get("annotations") or {})
    ]
    for one in sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"])):
        for label in HELM_LABELS:
            strip(one, label)
        yield one


def strip(value: Any, key: str) -> None:
    """Take a label away, wherever it is."""
    if isinstance(value, dict):
        value.pop(key, None)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        strip(inner, key)


def outputs() -> Iterator[tuple[Path, str]]:
    for name, (chart, values, kinds) in FILES.items():
        chosen = [one for one in objects(chart, values) if not kinds or one["kind"] in kinds]
        yield ROOT / "kustomize" / name, HEAD + yaml.safe_dump_all(chosen, sort_keys=False)


def main() -> None:
    for path, text in outputs():
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path.relative_to(ROOT)} is not up to date: run make gen")


if __name__ == "__main__":
    main()
