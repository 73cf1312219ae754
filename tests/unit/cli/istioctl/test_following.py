from __future__ import annotations

from typing import Any

from tests.unit.cli.istioctl import small_dumps, test_matching, test_sources

from bookmesh.cli.istioctl import following


def steps(**fields: Any) -> list[following.Step]:
    proxy = following.Proxy(small_dumps.dump())
    return list(following.follow(proxy, test_matching.request(**fields), test_sources.WORLD))


def test_a_request_is_followed_from_listener_to_endpoint() -> None:
    found = steps()
    assert [step.stage for step in found] == [
        "listener",
        "filter chain",
        "virtual host",
        "route",
        "cluster",
        "endpoint",
    ]
    assert found[3].as_json()["sources"] == [
        {"object": "VirtualService default/reviews", "field": "spec.http[1]"}
    ]
    assert found[4].name == small_dumps.cluster("v1")
    assert (found[5].name, found[5].why) == ("10.244.0.5:9080", "healthy")


def test_a_cluster_without_endpoints_answers_503() -> None:
    found = steps(headers={"end-user": "jason"})
    assert found[4].name == small_dumps.cluster("v2")
    assert "503" in found[-1].why


def test_hosts_nobody_knows_pass_through() -> None:
    assert [step.name for step in steps(host="elsewhere")][-2:] == [
        "PassthroughCluster",
        "original destination",
    ]


def test_bytes_go_straight_to_their_cluster_which_may_be_missing() -> None:
    found = steps(port=5432, address="10.96.0.9")
    assert [step.stage for step in found] == ["listener", "filter chain", "cluster"]
    assert "does not have it" in found[-1].why


def test_a_port_without_listener_is_refused() -> None:
    assert [step.name for step in steps(port=1)] == ["none"]


def test_answers_of_the_proxy_itself_and_weights() -> None:
    proxy = following.Proxy(small_dumps.dump())
    redirect: dict[str, Any] = {"redirect": {"path_redirect": "/x"}}
    (answer,) = following._act(proxy, redirect, (), test_sources.WORLD)
    assert (answer.name, answer.why) == ("redirect", "path_redirect /x")
    (answer,) = following._act(proxy, {"direct_response": {"status": 503}}, (), test_sources.WORLD)
    assert answer.name == "status 503"
    weights = [
        {"name": small_dumps.cluster(each), "weight": weight} for each, weight in (("v1", 3), ("v2", 1))
    ]
    split = following._act(
        proxy, {"route": {"weighted_clusters": {"clusters": weights}}}, (), test_sources.WORLD
    )
    assert [step.why for step in split if step.stage == "cluster"] == ["75 % of requests", "25 % of requests"]


def test_a_route_says_what_it_does_besides_routing() -> None:
    route = {
        "match": {"prefix": "/", "headers": [{**small_dumps.JASON, "invert_match": True}]},
        "route": {"timeout": "2s", "prefix_rewrite": "/b", "request_mirror_policies": [{"cluster": "m"}]},
        "typed_per_filter_config": {"envoy.filters.http.fault": {"abort": {"http_status": 500}}},
    }
    assert following.describe_route(route) == (
        "/*, not end-user exact jason; timeout 2s; rewritten to /b; mirrored to m; fault abort http_status 500"
    )
