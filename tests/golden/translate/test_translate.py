"""From YAML to Envoy resources: each `<case>.in.yaml` gives its `<case>.out.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.golden.translate import worlds

from bookmesh.mesh.translate import consistency

CASES = worlds.cases(worlds.HERE)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_resources_are_as_expected(case: Path, update_golden: bool) -> None:
    found = worlds.shown(worlds.load(case))
    expected = case.with_name(case.name.replace(".in.", ".out."))
    if update_golden:
        expected.write_text(yaml.dump(found, sort_keys=True, width=110))
    assert found == yaml.safe_load(expected.read_text())
    assert any(found.values()), "the case shows nothing"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_resources_fit_together(case: Path) -> None:
    assert consistency.check(worlds.load(case).resources()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_input_has_no_unparsable_object(case: Path) -> None:
    findings = [finding for config in worlds.load(case).snapshot.configs for finding in config.findings]
    assert [finding.render() for finding in findings if finding.code == "BM0201"] == []


def test_no_output_is_left_over() -> None:
    inputs = {path.name.replace(".in.", ".out.") for path in CASES}
    assert {path.name for path in worlds.HERE.glob("*.out.yaml")} == inputs
