"""The page of the Gateway API: claims with tests, and no claim without one."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from bookmesh.mesh.gateway_api import features

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tools" / "gen_gateway_api.py"
GENERATOR = runpy.run_path(str(PROGRAM))
CLAIM = features.Feature("Gateway", "listeners", ("GATEWAY-HTTP",), "core")


def test_the_page_is_what_the_generator_writes() -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_core_features_of_both_http_profiles_are_claimed() -> None:
    core = {each.name for each in features.FEATURES if each.level == "core"}
    assert core >= {"Gateway", "ReferenceGrant", "HTTPRoute", "Mesh"}


def test_a_claim_without_a_test_is_refused() -> None:
    with pytest.raises(ValueError, match="Gateway is claimed, and no test shows it"):
        GENERATOR["build_page"]([CLAIM], {})


def test_a_test_of_what_nobody_claims_is_refused() -> None:
    with pytest.raises(ValueError, match="Mesh is shown, but not claimed"):
        GENERATOR["build_page"]([CLAIM], {"Gateway": ["a"], "Mesh": ["b"]})


def test_a_row_names_the_tests() -> None:
    page = GENERATOR["build_page"]([CLAIM], {"Gateway": ["x.py::one", "x.py::two"]})
    assert "| Gateway | GATEWAY-HTTP | core | listeners | `x.py::one`<br>`x.py::two` |\n" in page


def test_the_generator_refuses_what_it_does_not_know() -> None:
    assert GENERATOR["main"](["--help"]) == 2
