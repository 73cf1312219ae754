"""A real Envoy takes whatever the translation of a golden case gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.envoy import envoys
from tests.golden.translate import worlds

CASES = [*worlds.cases(worlds.HERE), *worlds.cases(worlds.HERE.parent / "gateway_api")]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_envoy_takes_the_resources(case: Path, tmp_path: Path) -> None:
    world = worlds.load(case)
    assert world.proxy is not None
    config = envoys.static_bootstrap(world.resources(), world.proxy, mark=1337, snapshot=world.snapshot)
    assert envoys.validate(config, tmp_path) == ""


def test_envoy_refuses_a_broken_regular_expression(tmp_path: Path) -> None:
    world = worlds.load(worlds.HERE / "conditions.in.yaml")
    assert world.proxy is not None
    config = envoys.static_bootstrap(world.resources(), world.proxy, mark=1337)
    managers = [
        m for listener in config["static_resources"]["listeners"] for m in envoys.managers_in(listener)
    ]
    hosts = [
        h for m in managers for h in m["route_config"]["virtual_hosts"] if h["name"].startswith("details")
    ]
    hosts[0]["routes"][0]["match"] = {"safe_regex": {"regex": "("}}
    assert "missing ): (" in envoys.validate(config, tmp_path)
