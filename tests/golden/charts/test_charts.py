"""What charts render: each `<case>.in.yaml`, a chart and its values, gives the YAML of its `<case>.out.yaml`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.charts import rendering

from bookmesh.mesh.model import kinds, parsing
from bookmesh.release import contracts, gating, intentions

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.in.yaml"))
ELSEWHERE = {"monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1"}
"""Kinds that neither Kubernetes nor Istio defines."""


def test_there_are_cases() -> None:
    assert len(CASES) >= 12


@pytest.fixture(params=CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def case(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@functools.cache
def rendered(case: Path) -> str:
    given: dict[str, Any] = yaml.safe_load(case.read_text())
    return rendering.render(given["chart"], given.get("values") or {})


def test_renders_are_as_expected(case: Path, update_golden: bool) -> None:
    found = rendered(case)
    expected = case.with_name(case.name.replace(".in.yaml", ".out.yaml"))
    if update_golden:
        expected.write_text(found)
    assert found == expected.read_text()


VERSIONS = ("1.28", "1.37")
"""Of Kubernetes: the first that the charts take, and the last."""


@functools.cache
def check_schema(obj: str) -> None:
    """Many cases have the same objects, and a check takes long."""
    for version in VERSIONS:
        # Before 1.30 the charts refuse to sleep.
        if '"sleep"' not in obj or version != "1.28":
            kubernetes_validate.validate(json.loads(obj), version, strict=True)


def test_every_object_is_valid(case: Path) -> None:
    """Against Kubernetes' own schemas, unknown fields refused, and for Istio's kinds against the mesh's parsers."""
    for obj in rendering.objects(rendered(case)):
        if kinds.kind_for(obj["apiVersion"], obj["kind"]):
            parsed = parsing.parse({**obj, "metadata": {"namespace": "shop", **obj["metadata"]}})
            assert parsed.findings == (), [finding.render() for finding in parsed.findings]
        elif obj["apiVersion"] not in ELSEWHERE:
            check_schema(json.dumps(obj))


def test_the_first_version_that_is_validated_is_the_first_that_charts_take() -> None:
    for chart in (*rendering.NAMES, "microservice"):
        facts = yaml.safe_load((rendering.CHARTS / chart / "Chart.yaml").read_text())
        assert facts["kubeVersion"] == f">={VERSIONS[0]}.0-0", chart


def test_no_selector_has_a_label_that_an_upgrade_changes(case: Path) -> None:
    """An image's tag or a chart's version in a selector makes each later upgrade fail: selectors are for good."""
    for obj in rendering.objects(rendered(case)):
        if obj["kind"] == "Deployment":
            selector = obj["spec"]["selector"]["matchLabels"]
            assert set(selector) == {"app", "version"}
            assert obj["metadata"]["name"] == f"{selector['app']}-{selector['version']}"
            assert selector.items() <= obj["spec"]["template"]["metadata"]["labels"].items()
            assert "helm.sh/chart" not in obj["spec"]["template"]["metadata"]["labels"]
        if obj["kind"] == "Service" and "version" not in obj["metadata"]["labels"]:
            assert set(obj["spec"]["selector"]) == {"app"}


def test_names_are_unique(case: Path) -> None:
    names = [(obj["kind"], obj["metadata"]["name"]) for obj in rendering.objects(rendered(case))]
    assert len(names) == len(set(names))


def test_the_gate_is_told_what_the_objects_say() -> None:
    """The Job's declaration is written by templates; what others read from the objects has to be the same."""
    gates = 0
    for case in CASES:
        objects = rendering.objects(rendered(case))
        for job in (obj for obj in objects if obj["kind"] == "Job"):
            gates += 1
            arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
            assert arguments[:-1] == ["release", "check", "--timeout", arguments[3], "--declares"]
            told = gating.parse(arguments[-1])
            assert told == intentions.read(contracts.ReleaseId("shop", "demo"), objects)
    assert gates >= 2
