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
from bookmesh.release.exporting import description, flux

HERE = Path(__file__).parent
FILE = HERE / "releases.yaml"
ROOT = HERE.parents[2]
IN_ROOT = ("--root", str(ROOT))
TOOLS = {
    "helmfile": (),
    "flux": ("--source", "flux-system/charts", *IN_ROOT),
    "argocd": ("--source", "https://git.example/charts", *IN_ROOT),
    "hip-0025": (),
}


@functools.cache
def export(tool: str) -> str:
    done = CliRunner().invoke(cli.main, ["release", "export", str(FILE), "--to", tool, *TOOLS[tool]])
    assert done.exit_code == 0, done.output
    return done.stdout


def documents(tool: str) -> list[Any]:
    return list(yaml.safe_load_all(export(tool)))


def helm_releases() -> list[Any]:
    return [one for one in documents("flux") if one["kind"] == "HelmRelease"]


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


def test_helmfile_hears_of_releases_of_the_file_alone(tmp_path: Path) -> None:
    need = {"release": "ratings", "contract": "ratings-api", "range": ">=1"}
    wanted = {"name": "reviews", "chart": str(ROOT / "charts" / "reviews"), "values": {"requires": [need]}}
    (tmp_path / "releases.yaml").write_text(yaml.safe_dump({"releases": [wanted]}))
    arguments = ["release", "export", str(tmp_path / "releases.yaml"), "--to", "helmfile"]
    done = CliRunner().invoke(cli.main, arguments)
    (release,) = yaml.safe_load(done.stdout)["releases"]
    assert "needs" not in release
    assert "# Release default/reviews needs default/ratings, which is not in this file" in done.stdout


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


def test_argo_cd_makes_namespaces_and_removes_in_reverse() -> None:
    (applications,) = documents("argocd")
    assert applications["spec"]["strategy"]["deletionOrder"] == "Reverse"
    assert applications["spec"]["template"]["spec"]["syncPolicy"]["syncOptions"] == ["CreateNamespace=true"]
    for one in applications["spec"]["generators"][0]["list"]["elements"]:
        assert (ROOT / one["chart"] / "Chart.yaml").exists()


def test_the_chart_of_the_draft_has_each_release_with_its_values() -> None:
    chart, values = documents("hip-0025")
    order = {one["name"]: one.get("depends-on", []) for one in chart["dependencies"]}
    assert order == {"ratings": [], "reviews": [], "productpage": ["reviews", "ratings"]}
    assert set(values) == set(order)


def test_flux_finds_every_chart_in_its_repository_and_looks_at_each_revision() -> None:
    for one in helm_releases():
        chart = one["spec"]["chart"]["spec"]
        assert chart["sourceRef"] == {"kind": "GitRepository", "name": "charts", "namespace": "flux-system"}
        assert chart["reconcileStrategy"] == "Revision"
        assert (ROOT / chart["chart"] / "Chart.yaml").exists()


def test_a_source_of_flux_without_a_namespace_is_that_of_the_release() -> None:
    arguments = ["release", "export", str(FILE), "--to", "flux", "--source", "charts", *IN_ROOT]
    done = CliRunner().invoke(cli.main, arguments)
    found = [one for one in yaml.safe_load_all(done.stdout) if one["kind"] == "HelmRelease"]
    assert len(found) == 3
    for one in found:
        assert one["spec"]["chart"]["spec"]["sourceRef"] == {"kind": "GitRepository", "name": "charts"}


def test_flux_reads_values_with_a_null_from_a_file_that_keeps_it() -> None:
    (config_map,) = [one for one in documents("flux") if one["kind"] == "ConfigMap"]
    ratings, reviews, page = helm_releases()
    (reference,) = reviews["spec"]["valuesFrom"]
    assert reference == {"kind": "ConfigMap", "name": config_map["metadata"]["name"]}
    assert config_map["metadata"]["namespace"] == reviews["metadata"]["namespace"]
    values = yaml.safe_load(config_map["data"]["values.yaml"])
    assert list(values["versions"]) == ["v1", "v2", "v3"]
    assert values["versions"]["v1"] is None
    assert "values" not in reviews["spec"]
    assert all("valuesFrom" not in one["spec"] and one["spec"]["values"] for one in (ratings, page))


def test_another_value_is_another_generation_of_a_helm_release_of_flux() -> None:
    release, chart = ReleaseId("shop", "b"), "./charts/b"
    texts = [
        flux.export(
            [description.Described(release, chart, "1", {"a": None, "b": number}, (), {}, 1)], source="s"
        )
        for number in (1, 2)
    ]
    names = [list(yaml.safe_load_all(text))[1]["spec"]["valuesFrom"][0]["name"] for text in texts]
    assert names[0] != names[1]


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
    releases = {one["metadata"]["name"]: one for one in helm_releases()}
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
def test_tools_that_fetch_charts_are_given_paths_inside_of_the_repository(tool: str) -> None:
    arguments = ["release", "export", str(FILE), "--to", tool, *TOOLS[tool][:2]]
    outside = CliRunner().invoke(cli.main, arguments)
    assert outside.exit_code == 1
    assert "BM0635" in outside.stderr
    assert "../../../charts/ratings" in outside.stderr


@pytest.mark.parametrize("tool", ["flux", "argocd"])
def test_tools_that_fetch_charts_have_to_be_told_where(tool: str) -> None:
    done = CliRunner().invoke(cli.main, ["release", "export", str(FILE), "--to", tool])
    assert done.exit_code == 2
    assert "--source" in done.stderr
