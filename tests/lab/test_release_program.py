"""`bookmesh release --use helm`: the program does it, where there is one; else a peer that speaks its command line."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.lab import labs

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

CHARTS = Path(__file__).parents[2] / "charts"
PEER = Path(__file__).with_name("helm_peer.py")
NAMESPACE = "program"


class LabWithHelm(labs.Lab):
    """A lab whose commands find a program helm."""

    def add_to_path(self, folder: Path) -> None:
        self.env = self.env | {"PATH": os.pathsep.join((str(folder), self.env["PATH"]))}


@pytest.fixture
def lab(bookinfo: labs.Lab, tmp_path: Path) -> Iterator[labs.Lab]:
    found = LabWithHelm(bookinfo.name, bookinfo.home)
    if shutil.which("helm") is None:
        program = tmp_path / "helm"
        # Helm owns what it writes under the name of its program, which an interpreter would not have.
        named = Path(sys.executable).with_name("helm")
        program.write_text(f'#!/bin/bash\nexec -a {named} {sys.executable} {PEER} "$@"\n')
        program.chmod(0o755)
        found.add_to_path(tmp_path)
    yield found
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def write(path: Path, contract: str) -> Path:
    track = {"provides": {"ratings-api": contract}}
    ratings = {"name": "ratings", "values": {"versions": {"v1": track}}}
    need = {"release": "ratings", "contract": "ratings-api", "range": f">={contract}"}
    details = {"name": "details", "values": {"requires": [need]}}
    for one in (ratings, details):
        one |= {"namespace": NAMESPACE, "chart": str(CHARTS / str(one["name"]))}
    path.write_text(yaml.safe_dump({"releases": [details, ratings]}))
    return path


def test_the_program_does_what_the_library_does(lab: labs.Lab, tmp_path: Path) -> None:
    helm = ("--use", "helm")
    first = lab.release("apply", str(write(tmp_path / "releases.yaml", "1")), *helm)
    assert [line.split()[1] for line in first.stdout.splitlines()] == ["served", "served"]
    again = lab.release("apply", str(tmp_path / "releases.yaml"))
    assert again.stdout.count("unchanged") == 2, "the library sees something else than the program did"

    lab.release("apply", str(write(tmp_path / "releases.yaml", "2")), *helm)
    planned = lab.release("plan", str(tmp_path / "releases.yaml"), *helm)
    assert planned.stdout.count("leave") == 2
    assert lab.release("status", "-n", NAMESPACE, *helm).stdout.startswith(
        "ok   details requires ratings-api >=2"
    )

    refused = lab.release("rollback", "ratings", "1", "-n", NAMESPACE, *helm, check=False)
    assert "BM0604" in refused.stderr
    gone = lab.release("uninstall", "ratings", "details", "-n", NAMESPACE, *helm)
    assert gone.stdout.splitlines() == ["details is gone", "ratings is gone"]
    assert lab.release("uninstall", "ratings", "-n", NAMESPACE, *helm, check=False).returncode == 1


def test_library_and_program_take_turns(lab: labs.Lab, tmp_path: Path) -> None:
    file = tmp_path / "releases.yaml"
    for version, use in (("1", "library"), ("2", "helm"), ("3", "library")):
        lab.release("apply", str(write(file, version)), "--use", use)
    for number, use in ((1, "helm"), (2, "library")):
        lab.release("rollback", "details", str(number), "-n", NAMESPACE, "--use", use)
    shown = lab.kubectl("get", "deploy", "-n", NAMESPACE, "-o", "json", "--show-managed-fields").stdout
    entries = [one for found in json.loads(shown)["items"] for one in found["metadata"]["managedFields"]]
    assert {one["manager"] for one in entries if one["operation"] == "Apply"} == {"helm"}


def test_what_the_program_refuses_is_told_in_its_words(lab: labs.Lab, tmp_path: Path) -> None:
    lab.kubectl("create", "namespace", NAMESPACE)
    nothing = {
        "name": "ratings",
        "chart": str(CHARTS / "ratings"),
        "values": {"versions": {"v1": {"enabled": False}}},
    }
    (tmp_path / "releases.yaml").write_text(yaml.safe_dump({"releases": [nothing]}))
    refused = lab.release("plan", str(tmp_path / "releases.yaml"), "--use", "helm", check=False)
    assert refused.returncode == 1
    assert "BM0606" in refused.stderr
    assert "ratings has no version" in refused.stderr


def test_without_the_program_there_is_a_message(lab: labs.Lab, tmp_path: Path) -> None:
    lab.kubectl("create", "namespace", NAMESPACE)
    lab.env = lab.env | {"PATH": str(tmp_path / "nothing")}
    refused = lab.release("status", "-n", NAMESPACE, "--use", "helm", check=False)
    assert refused.returncode == 3
    assert "BM0622" in refused.stderr
