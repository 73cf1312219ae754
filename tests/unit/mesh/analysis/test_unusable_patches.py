"""BM0242 and BM0243: changes that cannot be made."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import unusable_patches

LUA = {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"}


def findings(apply_to: str, operation: str, value: Any = None, **match: Any) -> list[Any]:
    patch = {"operation": operation} | ({"value": value} if value is not None else {})
    config = {"applyTo": apply_to, "match": match, "patch": patch}
    made = small.istio("EnvoyFilter", configPatches=[config])
    made["apiVersion"] = "networking.istio.io/v1alpha3"
    return list(unusable_patches.check(small.snapshot(made)))


def test_what_can_be_made_is_fine() -> None:
    assert findings("HTTP_FILTER", "INSERT_FIRST", {"name": "lua", "typed_config": LUA}) == []
    assert findings("CLUSTER", "REMOVE") == []
    assert findings("BOOTSTRAP", "MERGE", {"stats_flush_interval": "5s"}) == []


@pytest.mark.parametrize("name", ["envoy.filters.Nothing", "envoy.config.filter.http.lua.v2.Lua", "os.path"])
def test_unknown_and_old_types_are_named(name: str) -> None:
    value = {"name": "x", "typed_config": {"@type": f"type.googleapis.com/{name}"}}
    (finding,) = findings("HTTP_FILTER", "ADD", value)
    assert (finding.code, finding.where) == ("BM0242", "spec.configPatches[0].patch.value")
    assert name in finding.message


@pytest.mark.parametrize(
    ("apply_to", "operation", "value", "where", "severity"),
    [
        ("EXTENSION_CONFIG", "ADD", {}, "applyTo", "error"),
        ("ROUTE_CONFIGURATION", "REMOVE", None, "patch.operation", "error"),
        ("BOOTSTRAP", "ADD", {}, "patch.operation", "error"),
        ("CLUSTER", "MERGE", {"connect_timeout": "soon"}, "patch.value", "error"),
        ("CLUSTER", "MERGE", {"conect_timeout": "1s"}, "patch.value", "warning"),
    ],
)
def test_place_of_the_problem_is_named(
    apply_to: str, operation: str, value: Any, where: str, severity: str
) -> None:
    (finding,) = findings(apply_to, operation, value)
    assert (finding.code, finding.severity) == ("BM0243", severity)
    assert finding.where == f"spec.configPatches[0].{where}"


def test_there_are_no_waypoints() -> None:
    (finding,) = findings("LISTENER", "REMOVE", context="WAYPOINT")
    assert (finding.code, finding.where) == ("BM0243", "spec.configPatches[0].match.context")
