"""What `bookmesh test` tells people about their own cases."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from tests.lab import labs

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
SWITCH = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "switch"}, "data": {"light": "on"}}


def write(folder: Path, *, seen: str, before: str = "fails") -> Path:
    look = {
        "name": "the light is on",
        "before": before,
        "get": {"of": "configmap/switch"},
        "output": {"json": {"data.light": seen}},
    }
    steps = [
        {"name": "switch", "apply": [SWITCH]},
        {"name": "switch again", "apply": [SWITCH], "within": "1s", "expect": [look]},
    ]
    file = folder / "light.yaml"
    file.write_text(yaml.safe_dump({"id": "light", "title": "A light", "steps": steps}))
    return file


@pytest.mark.lab
def test_a_case_that_shows_nothing_is_broken(lab: labs.Lab, tmp_path: Path) -> None:
    done = lab.bookmesh("test", str(write(tmp_path, seen="on")), check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("broken: light ")
    assert "error[BM0403]: switch again: the light is on: was true before the step was applied" in done.stdout


@pytest.mark.lab
def test_a_case_that_does_not_hold_fails_and_nothing_is_left(lab: labs.Lab, tmp_path: Path) -> None:
    done = lab.bookmesh("test", str(write(tmp_path, seen="off")), check=False)
    assert done.returncode == 1
    assert 'output has data.light = "off": got "on"' in done.stdout
    assert "task-light" not in lab.kubectl("get", "namespaces").stdout


@pytest.mark.lab
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_end_leaves_nothing(lab: labs.Lab, tmp_path: Path, number: int) -> None:
    file = write(tmp_path, seen="off")
    file.write_text(file.read_text().replace("within: 1s", "within: 10m"))
    # Whoever started this run in the background has made it deaf to Ctrl-C.
    deaf_no_more = ["env", "--default-signal=INT"]
    command = [*deaf_no_more, str(labs.BOOKMESH), "test", str(file), "--name", lab.name]
    own = ("get", "configmaps", "-A", "--field-selector", "metadata.name=switch", "-o", "name")
    with subprocess.Popen(command, env=lab.env, stderr=subprocess.PIPE, text=True) as process:
        labs.wait_until(lambda: lab.kubectl(*own).stdout)
        process.send_signal(number)
        assert process.wait(timeout=120) == 1
    assert "task-light" not in lab.kubectl("get", "namespaces").stdout


@pytest.mark.lab
def test_a_report_is_one_file(lab: labs.Lab, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    lab.bookmesh("test", str(write(tmp_path, seen="on", before="holds")), "--report", str(report))
    assert "The task passed" in report.read_text()


@pytest.mark.lab
def test_the_case_of_the_guide_passes_and_fails_for_another_route(lab: labs.Lab, tmp_path: Path) -> None:
    case = (GUIDES / "checkout" / "canary.yaml").read_text()
    assert f"```yaml\n# canary.yaml\n{case}```" in (GUIDES / "testing-your-own-mesh.md").read_text()
    mine = shutil.copytree(GUIDES / "checkout", tmp_path / "mine")
    passed = lab.bookmesh("test", str(mine / "canary.yaml"))
    assert "1 task: 1 passed" in passed.stdout
    route = mine / "mesh" / "canary.yaml"
    route.write_text(
        route.read_text().replace("weight: 90", "weight: 50").replace("weight: 10", "weight: 50")
    )
    failed = lab.bookmesh("test", str(mine / "canary.yaml"), check=False)
    assert failed.returncode == 1
    assert re.search(r"v1 \d+ \(allowed 2\d\d…2\d\d\), v2 \d+ .*; n = 300, confidence", failed.stdout)


@pytest.mark.lab
@pytest.mark.parametrize("pipeline", ["github-actions", "gitlab-ci"])
def test_the_pipelines_of_the_guide_run_all_cases_and_leave_a_report(
    lab: labs.Lab, tmp_path: Path, pipeline: str
) -> None:
    text = (GUIDES / "checkout" / "ci" / f"{pipeline}.yaml").read_text()
    line = re.search(r"bookmesh (test .*)$", text, re.MULTILINE)
    assert line is not None
    cases = tmp_path / "tests" / "mesh"
    cases.mkdir(parents=True)
    write(cases, seen="on", before="holds")
    done = subprocess.run(
        ["bash", "-c", f"{labs.BOOKMESH} {line[1]} --name {lab.name}"],
        cwd=tmp_path,
        env=lab.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "The task passed" in (tmp_path / "mesh-report.html").read_text()
    if pipeline == "gitlab-ci":
        (suite,) = ET.parse(tmp_path / "mesh-junit.xml").getroot()
        assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("light", "1", "0")
    else:
        assert done.stdout == "::notice title=bookmesh::1 task passed, 1 check held\n"
