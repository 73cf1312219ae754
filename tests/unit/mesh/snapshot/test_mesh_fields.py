"""Single fields of MeshConfig in the words of the settings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.snapshot import mesh_fields


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enableAutoMtls", "yes"),
        ("trustDomainAliases", "one"),
        ("trustDomainAliases", [1]),
        ("localityLbSetting", {"distribute": 1}),
        ("protocolDetectionTimeout", "soon"),
        ("tlsDefaults", {"ecdhCurves": "P-256"}),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: Any) -> None:
    with pytest.raises((ValueError, msgspec.ValidationError)):
        mesh_fields.READERS[name](value)


def test_locality_is_switched_off_and_has_defaults() -> None:
    read = mesh_fields.READERS["localityLbSetting"]
    assert read({"enabled": False})["is_locality_enabled"] is False
    found = read({"distribute": [{"from": "eu/*", "to": {"us": 100}}]})
    assert found["is_locality_enabled"] is True
    assert found["locality"].distribute[0].to == {"us": 100}


def test_namespaces_are_selected_by_labels_and_by_expressions() -> None:
    written = [
        {"matchLabels": {"mesh": "on"}},
        {"matchExpressions": [{"key": "env", "operator": "In", "values": ["dev"]}]},
    ]
    by_label, by_expression = mesh_fields.READERS["discoverySelectors"](written)["discovery_selectors"]
    assert by_label.match_labels == {"mesh": "on"}
    assert by_expression.match_expressions[0].values == ("dev",)
    assert mesh_fields.READERS["discoverySelectors"](None) == {"discovery_selectors": ()}
