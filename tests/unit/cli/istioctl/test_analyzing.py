from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.cli.istioctl.analyzers import test_every
from tests.unit.cli.istioctl.conftest import Run

BAD = test_every.rule(f"{{{test_every.TO_A}}}", gateways="[nowhere]")
MESSAGE = 'Error [IST0101] (VirtualService default/x{}) Referenced gateway not found: "nowhere"\n'


def answers(text: str = test_every.WELL, *, findings: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    items = [each for each in yaml.safe_load_all(text) if each]
    for each in items:
        if each["kind"] != "Namespace":
            each["metadata"]["namespace"] = "default"
    return {
        "get --raw /lab/v1/status": {"findings": list(findings)},
        "api-resources": "virtualservices.networking.istio.io\ngateways.gateway.networking.k8s.io\n",
        "get namespaces,services,endpointslices.discovery.k8s.io,pods,secrets,configmaps,virtualservices": {
            "items": items
        },
    }


def test_all_is_well(istioctl: Run) -> None:
    result, _ = istioctl("analyze", answers=answers())
    assert result.exit_code == 0
    assert "\u2714 No validation issues found when analyzing namespace: default." in result.stderr


def test_an_error_is_printed_with_its_code_and_ends_with_79(istioctl: Run) -> None:
    result, _ = istioctl("analyze", answers=answers(test_every.WELL + BAD))
    assert (result.exit_code, result.stdout) == (79, MESSAGE.format(""))
    assert "Analyzers found issues when analyzing namespace: default." in result.stderr


def test_what_proxies_refuse_is_an_error_too(istioctl: Run) -> None:
    subject = {"kind": "VirtualService", "name": "a", "namespace": "default"}
    refused = {"code": "BM0206", "message": "bad regex", "subject": subject, "severity": "error"}
    other = {"code": "BM0204", "message": "x", "subject": subject, "severity": "error"}
    result, _ = istioctl("analyze", answers=answers(findings=(refused, other)))
    assert result.stdout == "Error [IST0001] (VirtualService default/a) Internal error: bad regex\n"


def test_a_word_on_injection_is_no_failure_unless_asked_for(istioctl: Run) -> None:
    free = "kind: Namespace\nmetadata: {name: default}\n"
    result, _ = istioctl("analyze", "-A", answers=answers(free))
    assert result.exit_code == 0
    assert result.stdout.startswith("Info [IST0102] (Namespace default) The namespace is not enabled")
    result, _ = istioctl("analyze", "--failure-threshold", "info", answers=answers(free))
    assert result.exit_code == 79
    result, _ = istioctl("analyze", "--output-threshold", "Warning", answers=answers(free))
    assert result.stdout == ""


@pytest.mark.parametrize(
    "rule",
    ["IST0101=VirtualService default/x", "IST0101=VirtualService *", "IST0101=VirtualService x.default"],
)
def test_messages_can_be_suppressed(istioctl: Run, rule: str) -> None:
    result, _ = istioctl("analyze", "-S", rule, answers=answers(test_every.WELL + BAD))
    assert (result.exit_code, result.stdout) == (0, "")
    result, _ = istioctl("analyze", "-S", "nonsense", answers=answers())
    assert result.exit_code == 1


def test_forms_for_programs_are_no_failure_as_with_istio(istioctl: Run) -> None:
    result, _ = istioctl("analyze", "-o", "json", answers=answers(test_every.WELL + BAD))
    assert (result.exit_code, json.loads(result.stdout)[0]["code"]) == (0, "IST0101")
    result, _ = istioctl("analyze", "-o", "yaml", answers=answers(test_every.WELL + BAD))
    assert yaml.safe_load(result.stdout)[0]["origin"] == "VirtualService default/x"
    result, _ = istioctl("analyze", "-n", "other", answers=answers(test_every.WELL + BAD))
    assert result.exit_code == 0


def test_files_are_laid_over_the_cluster_with_their_lines(istioctl: Run, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("# first\n" + BAD)
    result, _ = istioctl("analyze", str(tmp_path), answers=answers())
    assert (result.exit_code, result.stdout) == (79, MESSAGE.format(f" {tmp_path}/x.yaml:6"))


def test_files_alone_need_no_cluster(istioctl: Run, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(test_every.WELL)
    (tmp_path / "notes.txt").write_text("nothing")
    for flag in ("--use-kube=false", "-k=false"):
        result, fake = istioctl("analyze", flag, str(tmp_path))
        assert (result.exit_code, result.stdout) == (0, "")
        assert f"No validation issues found when analyzing {tmp_path}/x.yaml." in result.stderr
        assert "Skipping file" in result.stderr
        assert fake.asked == []
    result, _ = istioctl("analyze", "--use-kube=false", "-", text=BAD)
    assert MESSAGE.format(" -:5") in result.stdout


REFERRING = """
kind: VirtualService
apiVersion: networking.istio.io/v1
metadata: {name: v}
spec: {hosts: [a.example], http: [{route: [{destination: {host: nowhere}}]}]}
---
kind: Gateway
apiVersion: networking.istio.io/v1
metadata: {name: g}
spec: {selector: {istio: other}, servers: [{hosts: [a.example], port: {number: 80, name: http, protocol: HTTP}}]}
---
kind: Sidecar
apiVersion: networking.istio.io/v1
metadata: {name: s}
spec: {workloadSelector: {labels: {app: gone}}, egress: [{hosts: ['*/*']}]}
---
kind: DestinationRule
apiVersion: networking.istio.io/v1
metadata: {name: d}
spec: {host: nowhere, subsets: [{name: v1, labels: {version: v1}}]}
"""


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("", {}),
        (
            test_every.thing("Service", "a", "{ports: [{name: http, port: 80}]}", group="v1"),
            {"IST0101": "nowhere", "IST0174": "nowhere"},
        ),
        (
            test_every.thing("Pod", "a", "{containers: [{name: istio-proxy, image: a}]}", group="v1"),
            {"IST0101": "istio=other", "IST0127": "app=gone"},
        ),
    ],
)
def test_files_alone_are_judged_by_what_they_hold(istioctl: Run, added: str, said: dict[str, str]) -> None:
    result, _ = istioctl("analyze", "--use-kube=false", "-", text=REFERRING + added)
    found = {line.partition("[")[2].partition("]")[0]: line for line in result.stdout.splitlines()}
    assert found.keys() == said.keys(), result.stdout
    for code, word in said.items():
        assert word in found[code]


def test_a_file_that_is_no_yaml_is_a_failure_of_its_own(istioctl: Run, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: [")
    result, _ = istioctl("analyze", "--use-kube=false", str(tmp_path))
    assert result.exit_code == 65
    assert "(but 1 file could not be parsed)" in result.stderr
    result, _ = istioctl("analyze", "--use-kube=false", "--ignore-unknown", str(tmp_path))
    assert result.exit_code == 0
    result, _ = istioctl("analyze", str(tmp_path / "gone.yaml"))
    assert (result.exit_code, "no such file" in result.stderr) == (1, True)


def test_a_mesh_configuration_of_ones_own(istioctl: Run, tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text("- nonsense")
    arguments = ("--use-kube=false", "-A", "--meshConfigFile", str(tmp_path / "mesh.yaml"))
    result, _ = istioctl("analyze", *arguments)
    assert "IST0106" in result.stdout


def test_analyzers_can_be_listed_and_chosen(istioctl: Run) -> None:
    result, _ = istioctl("analyze", "-L")
    assert "* injection.Analyzer:\n" in result.stdout
    chosen = ("analyze", "--analyzer", "injection.Analyzer", "-v")
    result, _ = istioctl(*chosen, answers=answers(test_every.WELL + BAD))
    assert result.exit_code == 0
    assert "Executed analyzers:\n\t injection.Analyzer" in result.stderr
    result, _ = istioctl("analyze", "--analyzer", "nobody", answers=answers())
    assert result.exit_code == 64


def test_colour_is_there_when_asked_for(istioctl: Run) -> None:
    result, _ = istioctl("analyze", "--color", answers=answers(test_every.WELL + BAD))
    assert result.stdout.startswith("\033[1;31mError\033[0m [IST0101]")
    result, _ = istioctl("analyze", "--color=false", answers=answers(test_every.WELL + BAD))
    assert result.stdout.startswith("Error [IST0101]")
