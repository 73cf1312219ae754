from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.explain import test_following, test_matching, test_sources
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.explain import http_routing, outcomes, trails


def go(
    route: dict[str, Any], *, host: dict[str, Any] | None = None, **fields: Any
) -> tuple[outcomes.Outcome, list[trails.Step]]:
    """What becomes of a request at a virtual host with one route."""
    trail = trails.Trail(test_following.PROXY, test_matching.request(**fields), test_sources.WORLD)
    one = {"name": "x", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **route}], **(host or {})}
    outcome = http_routing.through_routes(trail, {"route_config": {"virtual_hosts": [one]}})
    return outcome, trail.steps


V1 = {"route": {"cluster": small_dumps.cluster("v1")}}


def fault(**parts: Any) -> dict[str, Any]:
    return {"typed_per_filter_config": {http_routing.FAULT: parts}}


def test_a_redirect_and_a_direct_response_are_answers() -> None:
    outcome, steps = go({"redirect": {"path_redirect": "/x", "response_code": "FOUND"}})
    assert (outcome.kind, outcome.answers[0].status, steps[-1].why) == (
        "answered",
        302,
        "redirected: path /x",
    )
    assert go({"direct_response": {"status": 503}})[0].answers[0].status == 503


def test_weights_are_shares_and_those_of_nothing_are_left_out() -> None:
    weights = [
        {"name": small_dumps.cluster(subset), "weight": weight}
        for subset, weight in (("v1", 3), ("v2", 1), ("", 0))
    ]
    outcome, steps = go({"route": {"weighted_clusters": {"clusters": weights}}})
    clusters = [step.why.partition(";")[0] for step in steps if step.stage == "cluster"]
    assert clusters == ["75 % of requests", "25 % of requests"]
    assert ([each.percent for each in outcome.targets], outcome.answers[0].percent) == ([75.0], 25.0)


def test_a_fault_takes_its_share_first() -> None:
    half = {"numerator": 500_000, "denominator": "MILLION"}
    outcome, steps = go({**V1, **fault(abort={"http_status": 555, "percentage": half})})
    assert (outcome.answers[0].status, outcome.answers[0].percent, outcome.targets[0].percent) == (
        555,
        50.0,
        50.0,
    )
    assert [step.name for step in steps if step.stage == "fault"] == ["abort status 555"]
    whole = {"numerator": 100}
    outcome, _ = go({**V1, **fault(delay={"fixed_delay": "7s", "percentage": whole})})
    assert (outcome.delay_s, outcome.kind) == (7.0, "forwarded")
    outcome, steps = go({**V1, **fault(abort={"grpc_status": 14, "percentage": whole})})
    assert (outcome.kind, steps[-1].name) == ("answered", "abort grpc-status 14")


def test_plain_http_is_redirected_where_tls_is_asked_for() -> None:
    assert go(V1, host={"require_tls": "ALL"})[0].answers[0].status == 301


def test_a_preflight_of_an_allowed_origin_is_answered() -> None:
    cors = {
        "typed_per_filter_config": {
            http_routing.CORS: {"allow_origin_string_match": [{"exact": "https://a.com"}]}
        }
    }
    asks = {"access-control-request-method": "GET", "origin": "https://a.com"}
    assert go({**V1, **cors}, method="OPTIONS", headers=asks)[0].answers[0].status == 200
    assert go({**V1, **cors}, method="OPTIONS", headers={**asks, "origin": "x"})[0].kind == "forwarded"
    assert go({**V1, **cors}, headers=asks)[0].kind == "forwarded"


@pytest.mark.parametrize("manager", [{"rds": {"route_config_name": "nobody"}}, {"route_config": {}}])
def test_without_routes_there_is_404(manager: dict[str, Any]) -> None:
    trail = trails.Trail(test_following.PROXY, test_matching.request(), test_sources.WORLD)
    assert http_routing.through_routes(trail, manager).answers[0].status == 404
    assert go({"match": {"prefix": "/other"}})[0].answers[0].status == 404


def test_filters_that_may_answer_are_named() -> None:
    trail = trails.Trail(test_following.PROXY, test_matching.request(), test_sources.WORLD)
    names = ("envoy.filters.http.rbac", "envoy.filters.http.fault", "envoy.filters.http.router")
    manager = {"rds": {"route_config_name": "9080"}, "http_filters": [{"name": name} for name in names]}
    http_routing.through_routes(trail, manager)
    assert [step.name for step in trail.steps if step.stage == "filters"] == ["envoy.filters.http.rbac"]


@pytest.mark.parametrize(
    ("match", "action", "path"),
    [
        ({"prefix": "/a"}, {"prefix_rewrite": "/b"}, "/b/x"),
        ({"path": "/a/x"}, {"prefix_rewrite": "/b"}, "/b"),
        ({"safe_regex": {"regex": ".*"}}, {"prefix_rewrite": "/b"}, "/b"),
        (
            {"prefix": "/"},
            {"regex_rewrite": {"pattern": {"regex": "^/(.*)/x$"}, "substitution": "/y/\\1"}},
            "/y/a",
        ),
        ({"prefix": "/"}, {"regex_rewrite": {"pattern": {"regex": "(?<go"}}}, "/a/x"),
        ({"prefix": "/"}, {}, "/a/x"),
    ],
)
def test_the_path_that_an_endpoint_sees(match: dict[str, Any], action: dict[str, Any], path: str) -> None:
    assert http_routing.rewritten_path({"match": match, "route": action}, "/a/x") == path


def test_a_rewrite_is_a_step() -> None:
    _, steps = go({"match": {"prefix": "/a"}, "route": {**V1["route"], "prefix_rewrite": "/b"}})
    assert [step.name for step in steps if step.stage == "rewrite"] == ["/b"]
