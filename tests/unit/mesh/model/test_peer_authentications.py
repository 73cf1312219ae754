"""PeerAuthentication: what can be parsed, and what is refused with a place."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import parsing, peer_authentications


def parse(version: str = "v1", **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": f"security.istio.io/{version}", "kind": "PeerAuthentication"}
    return parsing.parse({**about, "metadata": {"name": "it"}, "spec": spec})


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_both_versions_are_parsed(version: str) -> None:
    parsed = parse(version, mtls={"mode": "STRICT"})
    assert isinstance(parsed.spec, peer_authentications.PeerAuthentication)
    assert not parsed.spec.is_for_workloads


def test_ports_need_a_selector() -> None:
    (finding,) = parse(portLevelMtls={"8080": {"mode": "DISABLE"}}).findings
    assert (finding.code, finding.where) == ("BM0201", "spec")
    assert "portLevelMtls needs a selector" in finding.message


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_is_a_number_of_a_port(port: str) -> None:
    found = parse(selector={"matchLabels": {"app": "a"}}, portLevelMtls={port: {"mode": "DISABLE"}})
    assert f'"{port}" in portLevelMtls is not a port' in found.findings[0].message


def test_an_unknown_mode_is_named_with_its_place() -> None:
    (finding,) = parse(mtls={"mode": "STRIKT"}).findings
    assert (finding.code, finding.where) == ("BM0201", "spec.mtls.mode")
