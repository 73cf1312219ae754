"""What people are told: each `<case>.in.yaml` gives the lines of its `<case>.out.txt`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.golden.translate import worlds

from bookmesh.base import messages
from bookmesh.mesh import analysis

HERE = Path(__file__).parent
CASES = worlds.cases(HERE)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_findings_are_as_expected(case: Path, update_golden: bool) -> None:
    findings = analysis.analyze(worlds.load(case).snapshot)
    found = "".join(finding.render() + "\n" for finding in findings)
    expected = case.with_name(case.name.replace(".in.yaml", ".out.txt"))
    if update_golden:
        expected.write_text(found)
    assert found == expected.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_every_finding_has_a_known_code_an_object_and_a_place(case: Path) -> None:
    for finding in analysis.analyze(worlds.load(case).snapshot):
        assert finding.code in messages.MESSAGES
        assert finding.subject is not None
        assert finding.where.startswith(("spec", "data.mesh"))


def test_all_codes_of_the_mesh_have_a_case() -> None:
    codes = {finding.code for case in CASES for finding in analysis.analyze(worlds.load(case).snapshot)}
    wanted = {code for code in messages.MESSAGES if code.startswith("BM02")} | {"BM0420", "BM0421"}
    # BM0206 comes from an Envoy, not from analysis.
    assert codes == wanted - {"BM0206"}
