"""The file an Envoy starts from."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.translate.patching.changes import change, patches

from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot.proxy import Proxy
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import bootstrap
from bookmesh.mesh.translate.patching import bootstraps


def built() -> dict[str, Any]:
    proxy = Proxy("id", "sidecar", workloads.Workload("web", "shop", "web-1", "10.0.0.1", "web"))
    return bootstrap.build(proxy, xds_socket_path="/x.sock", settings=MeshSettings())


def patched(*changes: dict[str, Any], is_router: bool = False) -> dict[str, Any]:
    return bootstraps.patch(built(), patches(*changes), is_router=is_router)


def test_without_changes_it_is_the_very_same() -> None:
    start = built()
    other = patches(change("CLUSTER", "REMOVE"))
    assert bootstraps.patch(start, other, is_router=False) is start


def test_changes_are_merged_and_the_rest_stays() -> None:
    value = {
        "stats_flush_interval": "7s",
        "stats_config": {"stats_tags": [{"tag_name": "x", "fixed_value": "y"}]},
    }
    found = patched(change("BOOTSTRAP", "MERGE", value))
    assert found["stats_flush_interval"] == "7s"
    assert found["stats_config"]["stats_tags"][-1] == {"tag_name": "x", "fixed_value": "y"}
    assert len(found["stats_config"]["stats_tags"]) == 5
    assert found["node"]["id"] == "id"
    listeners = [listener["name"] for listener in found["static_resources"]["listeners"]]
    assert listeners == ["health", "prometheus"]


def test_context_decides() -> None:
    value = {"stats_flush_interval": "7s"}
    gateway = change("BOOTSTRAP", "MERGE", value, context="GATEWAY")
    assert "stats_flush_interval" not in patched(gateway)
    assert patched(gateway, is_router=True)["stats_flush_interval"] == "7s"
