"""MeshConfig out of a ConfigMap."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.snapshot import mesh_config
from bookmesh.mesh.snapshot.settings import IngressSettings, MeshSettings

BASE = MeshSettings()


def read(text: str) -> mesh_config.MeshConfig:
    metadata = {"name": "istio", "namespace": "istio-system"}
    return mesh_config.read(BASE, {"metadata": metadata, "data": {"mesh": text}})


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("outboundTrafficPolicy: {mode: REGISTRY_ONLY}", "outbound_traffic_policy", "REGISTRY_ONLY"),
        ("accessLogFile: ''", "access_log_path", ""),
        ("enableAutoMtls: false", "is_auto_mtls", False),
        ("connectTimeout: 1500ms", "connect_timeout_s", 1.5),
        ("localityLbSetting: {enabled: false}", "is_locality_enabled", False),
        (
            "defaultConfig: {proxyStatsMatcher: {inclusionRegexps: ['.*x']}}",
            "stats_inclusions",
            (("regex", ".*x"),),
        ),
    ],
)
def test_fields_become_settings(text: str, field: str, expected: Any) -> None:
    found = read(text)
    assert (getattr(found.settings, field), found.findings) == (expected, ())


def test_fields_about_ingresses_add_up() -> None:
    found = read(
        "ingressControllerMode: DEFAULT\ningressClass: edge\ningressService: gw\ningressSelector: mine"
    )
    assert found.settings.ingress == IngressSettings("DEFAULT", "edge", "gw", "mine")
    wrong = read("ingressControllerMode: SOMETIMES")
    assert wrong.settings.ingress == IngressSettings()
    assert [finding.code for finding in wrong.findings] == ["BM0210"]


def test_without_a_config_map_nothing_changes() -> None:
    assert mesh_config.read(BASE, None) == mesh_config.MeshConfig(BASE)
    assert read("rootNamespace: istio-system") == mesh_config.MeshConfig(BASE)


@pytest.mark.parametrize(
    ("text", "severity", "message"),
    [
        ("a: [", "error", "cannot be used"),
        ("[1]", "error", "it is no mapping"),
        ("connectTimeout: soon", "error", "sets connectTimeout to something that cannot be used"),
        ("enableAutoMtls: maybe", "error", "neither true nor false"),
        ("outboundTrafficPolicy: closed", "error", "sets outboundTrafficPolicy"),
        ("enableTracing: true", "warning", "does not act on yet"),
    ],
)
def test_what_cannot_be_used_is_said_and_changes_nothing(text: str, severity: str, message: str) -> None:
    found = read(text)
    (finding,) = found.findings
    assert (found.settings, finding.code, finding.severity) == (BASE, "BM0210", severity)
    assert message in finding.message


@pytest.mark.parametrize(
    "config", [[], {"proxyStatsMatcher": [1]}, {"proxyStatsMatcher": {"inclusionPrefixes": "x"}}]
)
def test_inclusions_have_a_shape(config: Any) -> None:
    with pytest.raises(ValueError, match=r"mapping|list of strings"):
        mesh_config.inclusions(config)
