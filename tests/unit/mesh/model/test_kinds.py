"""The table of kinds."""

from __future__ import annotations

from bookmesh.mesh.model import kinds


def test_kind_is_found_by_every_served_version() -> None:
    for version in ("v1", "v1beta1", "v1alpha3"):
        found = kinds.kind_for(f"networking.istio.io/{version}", "Gateway")
        assert found is not None
        assert found.resource.qualified == "gateways.networking.istio.io"
        assert found.resource.version == "v1"


def test_kind_of_another_group_or_version_is_unknown() -> None:
    assert kinds.kind_for("gateway.networking.k8s.io/v1", "Gateway") is None
    assert kinds.kind_for("networking.istio.io/v2", "Gateway") is None
    assert kinds.kind_for("", "") is None


def test_names_are_unique() -> None:
    for name in ("kind", "plural", "short_name"):
        values = [getattr(kind, name) for kind in kinds.KINDS if getattr(kind, name)]
        assert len(set(values)) == len(values)
