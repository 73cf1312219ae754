"""
The words of other tools for the same releases: `<tool>.out.yaml`, and what is in them is what was declared.

Where a tool evaluates something itself, it is evaluated here, too: Flux's CEL, Argo CD's waves, Helmfile's needs.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import cel
import pytest
import yaml
from click.testing import CliRunner

from bookmesh.cli import main as cli
from bookmesh.release import ranges
from bookmesh.release.contracts import ReleaseId, Requirement
from bookmesh.release.exporting import flux

HERE = Path(__file__).parent
FILE = HERE / "releases.yaml"
TOOLS = {
    "helmfile": (),
    "flux": ("--source", "charts"),
    "argocd": ("--source", "https://git.example/charts"),
    "hip-0025": (),
}


@functools.cache
def export(tool: str) -> str:
    done = CliRunner().invoke(cli.main, ["release", "export", str(FILE), "--to", tool, *TOOLS[tool]])
    assert done.exit_code == 0, done.output
    return done.stdout


def documents(tool: str) -> list[Any]:
    return list(yaml.safe_load_all(export(tool)))


@pytest.mark.parametrize("tool", TOOLS)
def test_exports_are_as_expected(tool: str, update_golden: bool) -> None:
    expected = HERE / f"{tool}.out.yaml"
    if update_golden:
        expected.write_text(export(tool))
    assert export(tool) == expected.read_text()


@pytest.mark.parametrize("tool", TOOLS)
def test_each_says_what_its_tool_cannot(tool: str) -> None:
    head = [line for line in export(tool).splitlines() if line.startswith("#")]
    assert any(line.startswith("# What it cannot say: ") for line in head)


def test_helmfile_needs_are_releases_that_come_before() -> None:
    (file,) = documents("helmfile")
    names = [f"{one['namespace']}/{one['name']}" for one in file["releases"]]
    for position, one in enumerate(file["releases"]):
        assert set(one.get("needs", ())) <= set(names[:position])
        assert (HERE / one["chart"] / "Chart.yaml").exists()
    assert file["releases"][-1]["needs"] == ["shop/reviews", "data/ratings"]


def test_argo_cd_syncs_every_application_in_one_step() -> None:
    (applications,) = documents("argocd")
    elements = applications["spec"]["generators"][0]["list"]["elements"]
    steps = applications["spec"]["strategy"]["rollingSync"]["steps"]
    waves = [value for step in steps for one in step["matchExpressions"] for value in one["values"]]
    assert waves == ["1", "2"]
    assert {one["name"]: one["wave"] for one in elements} == {
        "ratings": "1",
        "reviews": "1",
        "productpage": "2",
    }


def test_the_chart_of_the_draft_has_each_release_with_its_values() -> None:
    chart, values = documents("hip-0025")
    order = {one["name"]: one.get("depends-on", []) for one in chart["dependencies"]}
    assert order == {"ratings": [], "reviews": [], "productpage": ["reviews", "ratings"]}
    assert set(values) == set(order)


def held(expression: str, dependency: dict[str, Any]) -> bool:
    """What Flux does with a `readyExpr`: one that cannot be evaluated does not hold."""
    try:
        return cel.evaluate(expression, {"dep": dependency}) is True
    except (KeyError, RuntimeError, ValueError):
        return False


def reconciled(release: dict[str, Any], *, ready: str = "True", observed: int = 3) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    metadata = {**release["metadata"], "generation": 3}
    return {
        **release,
        "metadata": metadata,
        "status": {"observedGeneration": observed, "conditions": conditions},
    }


def test_flux_lets_the_caller_go_when_both_are_reconciled_and_serve_what_it_needs() -> None:
    releases = {one["metadata"]["name"]: one for one in documents("flux")}
    for need in releases["productpage"]["spec"]["dependsOn"]:
        other = releases[need["name"]]
        assert held(need["readyExpr"], reconciled(other))
        assert not held(need["readyExpr"], reconciled(other, ready="False"))
        assert not held(need["readyExpr"], reconciled(other, observed=2)), "it is ready as it was before"
        bare = {**other, "metadata": {"name": need["name"]}}
        assert not held(need["readyExpr"], reconciled(bare)), "nothing is declared"


@pytest.mark.parametrize("text", [">=2 <4 || 7", "2", "2.1", "=2", ">2", "<=2.1.3", ">=1 <3"])
@pytest.mark.parametrize(
    "served", [("1",), ("2",), ("2", "2.1"), ("2.1.3",), ("3.9.9",), ("4",), ("7.5",), ("2", "7")]
)
def test_flux_judges_ranges_as_we_do(text: str, served: tuple[str, ...]) -> None:
    """Versions of different alternatives are the only exception: Flux waits then, as its comment says."""
    wanted = ranges.parse_range(text)
    versions = sorted(ranges.parse_version(one) for one in served)
    ends = {"lowest": versions[0], "highest": versions[-1]}
    annotations = {f"contract.bookmesh.dev/api-{end}": str(flux.number(one)) for end, one in ends.items()}
    expression = flux.ready_expression([Requirement(ReleaseId("shop", "b"), "api", wanted)])
    found = held(expression, reconciled({"metadata": {"annotations": annotations}}))
    is_across = served == ("2", "7")
    assert found is (all(one in wanted for one in versions) and not is_across)


def test_a_plan_that_cannot_be_carried_out_is_not_exported(tmp_path: Path) -> None:
    charts = HERE.parents[2] / "charts"
    wrong = {"requires": [{"release": "reviews", "contract": "reviews-api", "range": ">=9"}]}
    releases = [
        {"name": "productpage", "chart": str(charts / "productpage"), "values": wrong},
        {"name": "reviews", "chart": str(charts / "reviews")},
    ]
    file = tmp_path / "releases.yaml"
    file.write_text(yaml.safe_dump({"releases": releases}))
    done = CliRunner().invoke(cli.main, ["release", "export", str(file), "--to", "helmfile"])
    assert done.exit_code == 1
    assert "BM0604" in done.stderr


@pytest.mark.parametrize("tool", ["flux", "argocd"])
def test_tools_that_fetch_charts_have_to_be_told_where(tool: str) -> None:
    done = CliRunner().invoke(cli.main, ["release", "export", str(FILE), "--to", tool])
    assert done.exit_code == 2
    assert "--source" in done.stderr
