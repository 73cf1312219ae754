"""The file an Envoy starts from."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import bootstrap

POD = {
    "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {"serviceAccountName": "web"},
}
PROXY = proxies.build_proxy(POD, ip="10.0.0.1")


def build(**options: Any) -> dict[str, Any]:
    return bootstrap.build(
        PROXY, xds_socket_path="/etc/istio/proxy/xds.sock", settings=MeshSettings(), **options
    )


def test_node_says_who_the_proxy_is() -> None:
    node = build()["node"]
    assert node["id"] == PROXY.id
    assert node["cluster"] == "web.shop"
    assert node["metadata"]["NAMESPACE"] == "shop"
    assert node["metadata"]["LABELS"] == {"app": "web"}


def test_configuration_comes_by_delta_over_the_socket() -> None:
    config = build()
    assert config["dynamic_resources"]["ads_config"]["api_type"] == "DELTA_GRPC"
    (xds,) = [c for c in config["static_resources"]["clusters"] if c["name"] == "xds-grpc"]
    (endpoint,) = xds["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert endpoint["endpoint"]["address"] == {"pipe": {"path": "/etc/istio/proxy/xds.sock"}}


def test_admin_is_on_loopback_and_only_two_of_its_paths_are_outside() -> None:
    config = build()
    assert config["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 15000}
    paths = {}
    for listener in config["static_resources"]["listeners"]:
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        (route,) = manager["route_config"]["virtual_hosts"][0]["routes"]
        paths[listener["address"]["socket_address"]["port_value"]] = route["match"]
    assert paths == {15021: {"path": "/healthz/ready"}, 15090: {"path": "/stats/prometheus"}}


def test_own_connections_are_marked_unless_told_otherwise() -> None:
    (option,) = build()["cluster_manager"]["upstream_bind_config"]["socket_options"]
    assert (option["level"], option["name"], option["int_value"]) == (1, 36, 0x539)
    assert build(socket_mark=0)["cluster_manager"] == {}


def test_statistics_that_mesh_and_pod_ask_for_are_kept() -> None:
    pod = {
        "metadata": {
            "name": "p",
            "annotations": {
                "proxy.istio.io/config": "proxyStatsMatcher: {inclusionRegexps: ['.*pending.*']}"
            },
        }
    }
    proxy = proxies.build_proxy(pod, ip="10.0.0.1")
    settings = MeshSettings(stats_inclusions=(("prefix", "cluster.outbound"),))
    built = bootstrap.build(proxy, xds_socket_path="/x", settings=settings)
    patterns = built["stats_config"]["stats_matcher"]["inclusion_list"]["patterns"]
    assert patterns[-2:] == [{"prefix": "cluster.outbound"}, {"safe_regex": {"regex": ".*pending.*"}}]
