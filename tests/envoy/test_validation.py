"""A real Envoy takes whatever the translation of a golden case gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.envoy import envoys
from tests.golden.translate import worlds

from bookmesh.mesh.identity import certificates
from bookmesh.mesh.identity.authority import current_time

CASES = [*worlds.cases(worlds.HERE), *worlds.cases(worlds.HERE.parent / "gateway_api")]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_envoy_takes_the_resources(case: Path, tmp_path: Path) -> None:
    world = worlds.load(case)
    assert world.proxy is not None
    config = envoys.static_bootstrap(world.resources(), world.proxy, mark=1337, snapshot=world.snapshot)
    assert envoys.validate(_with_files(config, tmp_path), tmp_path) == ""


def _with_files(config: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Make the certificates that a case expects in /certs of the pod, and let the configuration find them."""
    root = certificates.build_root("example.org", now=current_time())
    leaf = certificates.build_leaf(root, "spiffe://example.org/test", now=current_time())
    for name, text in (("tls.crt", leaf.chain), ("tls.key", leaf.key), ("ca.crt", leaf.root)):
        (directory / name).write_bytes(text)
    found: dict[str, Any] = json.loads(json.dumps(config).replace('"/certs/', f'"{directory}/'))
    return found


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
