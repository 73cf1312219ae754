"""From the Gateway API to Istio's kinds, statuses and Envoy resources: `<case>.in.yaml` gives `<case>.out.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tests.golden.translate import worlds

from bookmesh.mesh.translate import consistency

HERE = Path(__file__).parent
CASES = worlds.cases(HERE)


def shown(world: worlds.World) -> dict[str, Any]:
    return {
        "statuses": {str(ref): _brief(status) for ref, status in world.conversion.statuses.items()},
        "resources": worlds.shown(world),
    }


def _brief(value: Any) -> Any:
    """Conditions in one line each."""
    if isinstance(value, dict) and {"type", "status", "reason", "message"} == value.keys():
        return f"{value['type']}={value['status']} {value['reason']}: {value['message']}"
    if isinstance(value, dict):
        return {key: _brief(item) for key, item in value.items()}
    return [_brief(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_conversion_is_as_expected(case: Path, update_golden: bool) -> None:
    found = shown(worlds.load(case))
    expected = case.with_name(case.name.replace(".in.", ".out."))
    if update_golden:
        expected.write_text(yaml.dump(found, sort_keys=True, width=110))
    assert found == yaml.safe_load(expected.read_text())
    assert found["statuses"]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_resources_fit_together(case: Path) -> None:
    assert consistency.check(worlds.load(case).resources()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_what_is_converted_says_nothing_that_the_api_could_not_hold(case: Path) -> None:
    """Every converted object can be written down, except for what `mesh.model.internal` adds."""
    for config in worlds.load(case).conversion.configs:
        assert config.refs
        assert msgspec.json.encode(config.spec)


def test_no_output_is_left_over() -> None:
    inputs = {path.name.replace(".in.", ".out.") for path in CASES}
    assert {path.name for path in HERE.glob("*.out.yaml")} == inputs
