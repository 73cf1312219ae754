"""Settings nobody has changed are those of Istio's default profile."""

from __future__ import annotations

from bookmesh.mesh.snapshot.settings import MeshSettings


def test_defaults_let_plain_text_in_and_everything_out() -> None:
    settings = MeshSettings()
    assert (settings.mtls_mode, settings.outbound_traffic_policy) == ("PERMISSIVE", "ALLOW_ANY")
    assert settings.is_auto_mtls
    assert (settings.root_namespace, settings.trust_domain) == ("istio-system", "cluster.local")


def test_settings_can_be_part_of_a_key() -> None:
    assert len({MeshSettings(), MeshSettings(), MeshSettings(mtls_mode="STRICT")}) == 2
