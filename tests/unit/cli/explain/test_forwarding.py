from __future__ import annotations

from typing import Any

from tests.unit.cli.explain import test_matching, test_sources
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.explain import forwarding, sources, trails
from bookmesh.cli.istioctl import dumps

UNWELL = {"eds_health_status": "UNHEALTHY"}
EJECTED = {"eds_health_status": "HEALTHY", "failed_outlier_check": True}


def host(number: int, priority: int = 0, **health: Any) -> dict[str, Any]:
    return {
        "address": {"socket_address": {"address": f"10.0.0.{number}", "port_value": 80}},
        "priority": priority,
        "health_status": health or {"eds_health_status": "HEALTHY"},
    }


def chosen(*hosts: dict[str, Any], panic: float = 0.0) -> list[str]:
    picked = forwarding.choose(hosts, panic_percent=panic)
    return [each["address"]["socket_address"]["address"].rpartition(".")[2] for each in picked]


def test_only_healthy_endpoints_are_chosen() -> None:
    assert chosen(host(1), host(2, **UNWELL), host(3, **EJECTED)) == ["1"]
    assert forwarding.health_of(host(3, **EJECTED)) == "failed outlier check"


def test_the_next_priority_helps_out_when_too_few_are_healthy() -> None:
    first = [host(1), host(2), host(3)]
    assert chosen(*first, host(4, 1)) == ["1", "2", "3"]
    assert chosen(host(1), host(2, **UNWELL), host(3, 1)) == ["1", "3"]
    assert chosen(host(1, **UNWELL), host(2, 1)) == ["2"]


def test_in_a_panic_all_are_chosen() -> None:
    assert chosen(host(1, **UNWELL), host(2, **UNWELL), panic=50.0) == ["1", "2"]
    assert chosen(host(1, **UNWELL)) == []
    assert chosen() == []


def forward(
    cluster: dict[str, Any],
    *hosts: dict[str, Any],
    is_http: bool = True,
    world: sources.World = test_sources.WORLD,
) -> Any:
    name = cluster["name"]
    section = small_dumps.named("ClustersConfigDump", dynamic_active_clusters=[{"cluster": cluster}])
    assigned = {
        "endpoint_config": {
            "cluster_name": name,
            "endpoints": [
                {
                    "lb_endpoints": [
                        {
                            "endpoint": {"address": host(1)["address"]},
                            "metadata": {
                                "filter_metadata": {"envoy.transport_socket_match": {"tlsMode": "istio"}}
                            },
                        },
                        {"endpoint": {"address": host(2)["address"]}},
                    ]
                }
            ],
        }
    }
    endpoints = small_dumps.named("EndpointsConfigDump", dynamic_endpoint_configs=[assigned])
    proxy = trails.Proxy(dumps.parse({"configs": [section, endpoints]}), {name: hosts})
    trail = trails.Trail(proxy, test_matching.request(), world)
    outcome = forwarding.forward(trail, [forwarding.Share(name, 100.0, "requests")], (), is_http=is_http)
    return outcome, trail.steps


def test_endpoints_say_how_they_are_called() -> None:
    cluster = {"name": "a", "type": "EDS", "transport_socket_matches": [{"name": "tlsMode-istio"}]}
    outcome, steps = forward(cluster, host(1), host(2), host(3, 1))
    assert [step.why for step in steps[1:]] == [
        "healthy, mutual TLS",
        "healthy, plain text",
        "healthy, priority 1, not chosen now",
    ]
    assert outcome.targets[0].endpoints == ("10.0.0.1:80", "10.0.0.2:80")


def test_where_a_gateway_takes_over_is_said() -> None:
    pod = test_sources.thing("Pod", "out-1", {"containers": [{"name": "istio-proxy"}]})
    pod["status"] = {"podIP": "10.0.0.2"}
    _, steps = forward({"name": "a", "type": "EDS"}, host(1), host(2), world=sources.World(pods=[pod]))
    assert [step.why for step in steps[1:]] == [
        "healthy",
        "healthy, a gateway: go on with --from out-1 -n default",
    ]


def test_the_black_hole_has_no_endpoints_on_purpose() -> None:
    outcome, steps = forward({"name": "BlackHoleCluster", "type": "STATIC"}, is_http=False)
    assert (outcome.kind, steps[-1].name) == ("closed", "none")


def test_a_panic_threshold_of_nothing_is_never() -> None:
    cluster: dict[str, Any] = {
        "name": "a",
        "type": "EDS",
        "common_lb_config": {"healthy_panic_threshold": {}},
    }
    assert forward(cluster, host(1, **UNWELL))[0].answers[0].status == 503
    assert forward({"name": "a", "type": "EDS"}, host(1, **UNWELL))[0].kind == "forwarded"
