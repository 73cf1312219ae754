"""Listeners of a Sidecar with places of their own, each with its routes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.golden.translate import worlds
from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.base import steps
from bookmesh.mesh.translate import caching, placed_listeners, scope
from bookmesh.mesh.wire import type_urls

PORTS = [{"name": "http-a", "port": 80}, {"name": "tcp-b", "port": 7000}, {"port": 9000}]
SERVICES = [
    {"kind": "Service", "metadata": {"name": name}, "spec": {"clusterIP": address, "ports": PORTS}}
    for name, address in (("one", "10.96.0.1"), ("two", "10.96.0.2"))
]


def build(**listener: Any) -> dict[str, dict[str, Any]]:
    """What one listener of egress gives, by short type and name."""
    sidecar = small.istio("Sidecar", "it", egress=[{"hosts": ["./*"], **listener}])
    pod = {
        "kind": "Pod",
        "metadata": {"name": "pod"},
        "spec": {"containers": []},
        "status": {"podIP": "1.1.1.1"},
    }
    world = worlds.build([*map(dict, SERVICES), sidecar, pod], {"proxy": "default/pod"})
    assert world.proxy is not None
    view = world.snapshot.view_for(world.proxy)
    found = scope.build_scope(world.snapshot, namespace="default", is_router=False, labels={}, view=view)
    built: dict[str, dict[str, Any]] = {"LDS": {}, "RDS": {}}
    for one in steps.result_of(placed_listeners.build(found, caching.Cache())):
        built[type_urls.SHORT_NAMES[one.type_url]][one.name] = one.message
    return built


def test_without_a_place_there_is_no_listener_of_its_own() -> None:
    assert build() == {"LDS": {}, "RDS": {}}
    assert build(port={"number": 80, "protocol": "HTTP"}) == {"LDS": {}, "RDS": {}}


def test_without_a_port_every_port_of_the_services_is_at_the_address() -> None:
    found = build(captureMode="NONE", bind="127.0.0.9")
    assert sorted(found["LDS"]) == ["127.0.0.9_7000", "127.0.0.9_80", "127.0.0.9_9000"]
    assert sorted(found["RDS"]) == ["80", "9000"]
    inspectors = {name: len(listener.listener_filters) for name, listener in found["LDS"].items()}
    # Only where nobody says what is spoken the first bytes tell.
    assert inspectors == {"127.0.0.9_80": 0, "127.0.0.9_7000": 0, "127.0.0.9_9000": 2}


@pytest.mark.parametrize("mode", ["NONE", "DEFAULT"])
def test_only_captured_connections_need_no_port_of_the_proxy(mode: str) -> None:
    found = build(captureMode=mode, bind="10.9.9.9", port={"number": 80, "protocol": "HTTP"})
    (listener,) = found["LDS"].values()
    assert listener.HasField("bind_to_port") == (mode == "DEFAULT")


def test_the_listener_says_what_is_spoken() -> None:
    found = build(captureMode="NONE", port={"number": 80, "protocol": "TCP"})
    assert (list(found["LDS"]), list(found["RDS"])) == (["127.0.0.1_80"], [])


def test_an_http_proxy_tells_services_apart_by_name_and_port() -> None:
    found = build(captureMode="NONE", port={"number": 15080, "protocol": "HTTP_PROXY"})
    routes = found["RDS"]["15080"]
    assert not routes.ignore_port_in_host_matching
    domains = {host.name: list(host.domains) for host in routes.virtual_hosts}
    assert {"two", "two:80"} <= set(domains["two.default.svc.cluster.local:80"])
    assert all(domain.endswith(":9000") for domain in domains["two.default.svc.cluster.local:9000"])


def test_a_unix_socket_has_routes_of_its_own_name() -> None:
    path = "unix:///run/a.sock"
    found = build(bind=path, port={"number": 0, "protocol": "HTTP"})
    assert found["LDS"][f"{path}_0"].address.pipe.path == "/run/a.sock"
    assert list(found["RDS"]) == [path]


def test_nothing_takes_the_place_of_what_is_redirected() -> None:
    assert build(bind="0.0.0.0", port={"number": 15001, "protocol": "HTTP"})["LDS"] == {}
