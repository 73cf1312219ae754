"""A real Envoy on loopback does with requests what the YAML says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.envoy import applications, envoys
from tests.golden.translate import worlds
from tests.local_ports import free_port

GATEWAY = Path(__file__).with_name("gateway.yaml")


def _listen(listener: dict[str, Any], port: int) -> None:
    listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
    listener["bind_to_port"] = True


def _point(cluster: dict[str, Any], port: int) -> None:
    """Send a cluster, whatever its type, to a port of 127.0.0.1."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoint = {"endpoint": {"address": address}}
    cluster.pop("upstream_bind_config", None)
    cluster |= {"type": "STATIC", "lb_policy": "ROUND_ROBIN"}
    cluster["load_assignment"] = {
        "cluster_name": cluster["name"],
        "endpoints": [{"lb_endpoints": [endpoint]}],
    }


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a gateway before two versions of an application."""
    world = worlds.load(GATEWAY)
    assert world.proxy is not None
    config = envoys.static_bootstrap(world.resources(), world.proxy, mark=0)
    port = free_port()
    for listener in config["static_resources"]["listeners"]:
        if listener["name"] == "0.0.0.0_80":
            _listen(listener, port)
    with applications.application("v1") as v1, applications.application("v2") as v2:
        for cluster in config["static_resources"]["clusters"]:
            if "|v1|" in cluster["name"] or "|v2|" in cluster["name"]:
                _point(cluster, v1 if "|v1|" in cluster["name"] else v2)
        with envoys.running(config, tmp_path_factory.mktemp("gateway")):
            yield port


def test_direct_response_comes_from_the_gateway(gateway: int) -> None:
    answer = applications.get(gateway, "/teapot", Host="web.example.com")
    assert (answer.status, answer.body, answer.headers["server"]) == (418, "short and stout", "istio-envoy")


def test_redirect_keeps_the_host(gateway: int) -> None:
    answer = applications.get(gateway, "/moved?a=1", Host="web.example.com")
    assert (answer.status, answer.headers["location"]) == (302, "http://web.example.com/there?a=1")


def test_fault_is_injected(gateway: int) -> None:
    answer = applications.get(gateway, "/broken", Host="web.example.com")
    assert (answer.status, answer.body) == (555, "fault filter abort")


def test_missing_subset_gives_503(gateway: int) -> None:
    assert applications.get(gateway, "/nowhere", Host="web.example.com").status == 503


def test_header_decides_about_version_rewrite_and_headers(gateway: int) -> None:
    answer = applications.get(gateway, "/page", Host="web.example.com:8080", end_user="jason")
    assert answer.seen["application"] == "v2"
    assert answer.seen["path"] == "/rewritten"
    assert answer.seen["headers"]["x-added"] == "yes"
    assert answer.headers["x-answered"] == "yes"


def test_weights_split_requests(gateway: int) -> None:
    counts = Counter(
        applications.get(gateway, "/split", Host="web.example.com").seen["application"] for _ in range(200)
    )
    assert set(counts) == {"v1", "v2"}
    assert 60 <= counts["v1"] <= 140  # beyond it once in 10^8 runs


@pytest.mark.parametrize(("path", "host"), [("/unknown", "web.example.com"), ("/v1", "other.example.com")])
def test_what_no_route_takes_is_not_found(gateway: int, path: str, host: str) -> None:
    assert applications.get(gateway, path, Host=host).status == 404


def _own_service(port: int, name: str) -> list[dict[str, Any]]:
    return [
        {
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {
                "clusterIP": "10.96.3.1",
                "selector": {"app": "web"},
                "ports": [{"name": name, "port": port}],
            },
        },
        {
            "kind": "Pod",
            "metadata": {"name": "web", "labels": {"app": "web", "security.istio.io/tlsMode": "istio"}},
            "spec": {"serviceAccountName": "web", "containers": [{"name": "web"}]},
            "status": {"podIP": "127.0.0.1"},
        },
    ]


@pytest.mark.parametrize("port_name", ["http", "", "tcp"])
def test_mtls_between_sidecars_shows_both_identities_to_http_applications(
    tmp_path: Path, port_name: str
) -> None:
    """One Envoy calls its own service: out by the service's listener, in by its own inbound listener."""
    outbound, inbound = free_port(), free_port()
    about = {"proxy": "default/web", "settings": {"access_log_path": ""}}
    world = worlds.build(_own_service(inbound, port_name), about)
    assert world.proxy is not None
    config = envoys.static_bootstrap(world.resources(), world.proxy, mark=0)
    config["static_resources"]["listeners"] = [
        listener
        for listener in config["static_resources"]["listeners"]
        if listener["name"] not in ("virtualOutbound", "health", "prometheus")
    ]
    for listener in config["static_resources"]["listeners"]:
        _listen(listener, inbound if listener["name"] == "virtualInbound" else outbound)
        listener["listener_filters"] = [
            f for f in listener.get("listener_filters", []) if "original_dst" not in f["name"]
        ]
    with applications.application("web") as application:
        for cluster in config["static_resources"]["clusters"]:
            if cluster["name"].startswith("inbound|"):
                _point(cluster, application)
        with envoys.running(config, tmp_path):
            through = applications.get(outbound, "/", Host=f"web.default:{inbound}")
            plain = applications.get(inbound, "/", Host="web")
    assert (through.status, plain.status) == (200, 200)
    identity = "spiffe://cluster.local/ns/default/sa/web"
    certificate = {name.lower(): value for name, value in through.seen["headers"].items()}.get(
        "x-forwarded-client-cert"
    )
    if port_name == "tcp":
        assert certificate is None
    else:
        assert f"By={identity};" in certificate
        assert certificate.endswith(f"URI={identity}")
    assert "x-forwarded-client-cert" not in {name.lower() for name in plain.seen["headers"]}


def _endpoint_slice(name: str, port: int, *, is_ready: bool) -> dict[str, Any]:
    conditions = {"ready": is_ready, "serving": is_ready, "terminating": False}
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": "http", "port": port}],
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": conditions}],
    }


@pytest.mark.parametrize(("is_first_ready", "expected"), [(True, {200}), (False, {503})])
def test_endpoints_that_are_not_ready_get_nothing_even_if_no_other_is(
    tmp_path: Path, is_first_ready: bool, expected: set[int]
) -> None:
    outbound = free_port()
    caller = {
        "kind": "Pod",
        "metadata": {"name": "caller", "labels": {"app": "caller"}},
        "spec": {"containers": [{"name": "caller"}]},
        "status": {"podIP": "10.244.0.9"},
    }
    with applications.application("v1") as v1, applications.application("v2") as v2:
        slices = [
            _endpoint_slice("one", v1, is_ready=is_first_ready),
            _endpoint_slice("other", v2, is_ready=False),
        ]
        objects = [_own_service(80, "http")[0], caller, *slices]
        world = worlds.build(objects, {"proxy": "default/caller", "settings": {"access_log_path": ""}})
        assert world.proxy is not None
        config = envoys.static_bootstrap(world.resources(), world.proxy, mark=0)
        listeners = config["static_resources"]["listeners"]
        config["static_resources"]["listeners"] = [one for one in listeners if one["name"] == "0.0.0.0_80"]
        _listen(config["static_resources"]["listeners"][0], outbound)
        with envoys.running(config, tmp_path):
            answers = [applications.get(outbound, "/", Host="web.default") for _ in range(20)]
    assert {answer.status for answer in answers} == expected
    assert {answer.seen["application"] for answer in answers if answer.status == 200} <= {"v1"}
