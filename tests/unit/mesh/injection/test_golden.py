"""Whole pods before and after: `tests/golden/injection/*.in.yaml` and `.out.yaml`; `--update-golden` rewrites."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bookmesh.mesh.injection import injecting
from bookmesh.mesh.injection.settings import InjectionSettings

DIRECTORY = Path(__file__).parents[3] / "golden" / "injection"
CASES = sorted(path.name.removesuffix(".in.yaml") for path in DIRECTORY.glob("*.in.yaml"))
SETTINGS = InjectionSettings(tag="1.28.0")


def inject(case):
    return injecting.inject(case["pod"], namespace_labels=case["namespaceLabels"], settings=SETTINGS)


def test_there_are_goldens():
    assert CASES


@pytest.mark.parametrize("name", CASES)
def test_pod_is_injected_as_in(name, update_golden):
    case = yaml.safe_load((DIRECTORY / f"{name}.in.yaml").read_text())
    untouched = yaml.safe_dump(case)
    injected = inject(case)
    assert yaml.safe_dump(case) == untouched
    golden = DIRECTORY / f"{name}.out.yaml"
    if update_golden:
        golden.write_text(yaml.safe_dump(injected, sort_keys=False))
    assert injected == yaml.safe_load(golden.read_text())


@pytest.mark.parametrize("name", CASES)
def test_injecting_again_changes_nothing(name):
    case = yaml.safe_load((DIRECTORY / f"{name}.in.yaml").read_text())
    case["pod"] = inject(case)
    assert inject(case) is case["pod"]
