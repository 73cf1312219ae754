"""
What Artifact Hub shows of a chart beside its Chart.yaml: annotations in its own formats, and true.

Source: Artifact Hub's documentation, annotations of Helm charts.
"""

from __future__ import annotations

import urllib.parse
from typing import Any

import helm_python
import pytest
import yaml
from tests.charts import rendering

CHARTS = (*rendering.NAMES, "microservice")
PREFIX = "artifacthub.io/"
CATEGORIES = {
    "ai-machine-learning",
    "database",
    "integration-delivery",
    "monitoring-logging",
    "networking",
    "security",
    "storage",
    "streaming-messaging",
    "skip-prediction",
}
CHANGES = {"added", "changed", "deprecated", "removed", "fixed", "security"}


def annotations(chart: str) -> dict[str, str]:
    """By name, without the prefix."""
    described = yaml.safe_load((rendering.CHARTS / chart / "Chart.yaml").read_text())
    found: dict[str, str] = described["annotations"]
    assert all(name.startswith(PREFIX) and isinstance(value, str) for name, value in found.items())
    return {name.removeprefix(PREFIX): value for name, value in found.items()}


@pytest.fixture(params=CHARTS)
def chart(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_every_chart_is_asked() -> None:
    assert {path.parent.name for path in rendering.CHARTS.glob("*/Chart.yaml")} == set(CHARTS)


def test_what_a_chart_is_and_whether_it_is_urgent(chart: str) -> None:
    found = annotations(chart)
    assert found["category"] in CATEGORIES
    assert found["license"] == "Apache-2.0"
    described = yaml.safe_load((rendering.CHARTS / chart / "Chart.yaml").read_text())
    assert found["prerelease"] == str("-" in described["version"]).lower()
    kinds = {change["kind"] for change in yaml.safe_load(found["changes"])}
    assert found["containsSecurityUpdates"] == str("security" in kinds).lower()


def test_changes_are_of_known_kinds_and_described(chart: str) -> None:
    changes = yaml.safe_load(annotations(chart)["changes"])
    assert changes
    for change in changes:
        assert change.keys() == {"kind", "description"}
        assert change["kind"] in CHANGES
        assert change["description"].strip()


def test_links_have_names(chart: str) -> None:
    links = yaml.safe_load(annotations(chart)["links"])
    assert links
    for link in links:
        assert link.keys() == {"name", "url"}
        assert urllib.parse.urlsplit(link["url"]).scheme == "https"


@pytest.mark.parametrize("name", rendering.NAMES)
def test_the_images_are_those_of_the_pods(name: str) -> None:
    """With their tags, for Artifact Hub looks for known vulnerabilities in them; the pod of `helm test`, too."""
    with helm_python.Chart.load(rendering.CHARTS / name) as loaded:
        files = loaded.render({}, name="demo", namespace="shop", is_install=True)
    documents = [
        one for path, text in files.items() if path.endswith(".yaml") for one in yaml.safe_load_all(text)
    ]
    used = {image for one in documents if one for image in images_of(one)}
    assert used
    assert listed(name) == used


def test_the_library_lists_the_images_that_its_values_name() -> None:
    values = yaml.safe_load((rendering.CHARTS / "microservice" / "values.yaml").read_text())
    assert listed("microservice") == {values["gate"]["image"], values["test"]["image"]}


def listed(chart: str) -> set[str]:
    images = yaml.safe_load(annotations(chart)["images"])
    assert all(image.keys() == {"name", "image"} for image in images)
    return {image["image"] for image in images}


def images_of(obj: dict[str, Any]) -> set[str]:
    """The images of a pod, or of what makes pods."""
    spec = obj.get("spec", {})
    pod = spec.get("template", {}).get("spec", spec)
    return {container["image"] for container in pod.get("containers", ())}
