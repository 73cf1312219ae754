"""
Earlier versions of our charts: a version that was packaged does not change any more, and the next can follow it.

When a version is released, its packages go to tests/charts/released/VERSION. Upgrades in a cluster, with people at it,
are in tests/lab/test_release_traffic.py.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import helm_python
import pytest
import yaml
from tests.charts import rendering

PACKAGES = sorted(rendering.RELEASED.glob("*/*.tgz"))


def test_there_are_packages() -> None:
    assert PACKAGES


def files(package: Path) -> dict[str, bytes]:
    with tarfile.open(package) as archive:
        members = [one for one in archive if one.isfile()]
        return {one.name: content.read() for one in members if (content := archive.extractfile(one))}


def is_frozen(package: Path, chart: Path, folder: Path) -> bool:
    """Whether a chart has another version than a package, or the same content."""
    packed = Path(helm_python.package(chart, destination=folder))
    return packed.name != package.name or files(packed) == files(package)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_what_changes_gets_another_version(package: Path, tmp_path: Path) -> None:
    chart = rendering.flat(package.name.rpartition("-")[0], tmp_path)
    assert is_frozen(package, chart, tmp_path), (
        f"{chart.name} has changed: give it, and those that use it, another version"
    )


def test_a_change_without_another_version_is_noticed(tmp_path: Path) -> None:
    package = PACKAGES[0]
    for name, content in files(package).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    chart = tmp_path / package.name.rpartition("-")[0]
    assert is_frozen(package, chart, tmp_path)
    (chart / "templates" / "more.yaml").write_text("# more")
    assert not is_frozen(package, chart, tmp_path)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_selectors_of_earlier_versions_are_kept(package: Path) -> None:
    """A cluster refuses another selector for a Deployment that is there."""
    chart = package.name.rpartition("-")[0]
    with helm_python.Chart.load(package) as loaded:
        rendered = loaded.render({}, name="demo", namespace="shop", is_install=True)
    before = selectors("\n---\n".join(text for name, text in rendered.items() if name.endswith(".yaml")))
    after = selectors(rendering.render(chart, {}))
    assert before
    assert before.items() <= after.items()


def selectors(text: str) -> dict[str, str]:
    """Selectors of Deployments by name."""
    objects = [one for one in yaml.safe_load_all(text) if one]
    return {
        one["metadata"]["name"]: str(one["spec"]["selector"])
        for one in objects
        if one["kind"] == "Deployment"
    }
