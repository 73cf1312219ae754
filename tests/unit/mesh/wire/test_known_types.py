"""Types by name."""

from __future__ import annotations

import pytest

from bookmesh.mesh.wire import known_types


@pytest.mark.parametrize(
    "name",
    [
        "envoy.config.cluster.v3.Cluster",
        "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "udpa.type.v1.TypedStruct",
        "xds.type.v3.TypedStruct",
        "google.protobuf.Struct",
    ],
)
def test_types_of_envoy_are_found(name: str) -> None:
    found = known_types.find_by_url(f"type.googleapis.com/{name}")
    assert found is not None
    assert found.DESCRIPTOR.full_name == name


@pytest.mark.parametrize(
    "name",
    ["", "envoy", "envoy.config.cluster.v3.Nothing", "envoy.api.v2.Cluster", "os.path", "envoy..x", "xds"],
)
def test_others_are_unknown(name: str) -> None:
    assert known_types.find(name) is None
