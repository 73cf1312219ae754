"""Destinations without a port, and routes after one that takes everything."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.golden.translate import worlds

from bookmesh.mesh.translate import routes
from bookmesh.mesh.translate import scope as scopes

ONE = "one.default.svc.cluster.local"


def clusters(*http: dict[str, Any], port: int = 80, is_router: bool = False) -> list[str]:
    """The clusters of the routes of one VirtualService, for a sidecar or gateway that is called on a port."""
    return [route.route.cluster for route in built(*http, port=port, is_router=is_router)]


def built(*http: dict[str, Any], port: int = 80, is_router: bool = False) -> list[Any]:
    services = [
        {"kind": "Service", "metadata": {"name": "one"}, "spec": {"ports": [{"name": "http", "port": 8000}]}},
        {
            "kind": "Service",
            "metadata": {"name": "two"},
            "spec": {"ports": [{"name": "http", "port": 80}, {"name": "http-x", "port": 81}]},
        },
    ]
    rule = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "rule"},
        "spec": {"hosts": ["two"], "http": list(http)},
    }
    snapshot = worlds.build([*services, rule], {}).snapshot
    scope = scopes.build_scope(snapshot, namespace="default", is_router=is_router, labels={})
    return routes.build_routes(snapshot.routings[0], routes.Place(scope, port))


def to(host: str, prefix: str = "/a", **destination: Any) -> dict[str, Any]:
    return {"match": [{"uri": {"prefix": prefix}}], "route": [{"destination": {"host": host, **destination}}]}


def test_only_port_of_a_service_is_taken_at_gateways() -> None:
    assert clusters(to("one"), is_router=True) == ["outbound|8000||one.default.svc.cluster.local"]


def test_sidecars_call_the_port_that_was_called() -> None:
    assert clusters(to("one")) == ["outbound|80||one.default.svc.cluster.local"]


def test_service_with_several_ports_is_called_on_the_port_of_the_request() -> None:
    assert clusters(to("two"), port=81) == ["outbound|81||two.default.svc.cluster.local"]


def test_port_of_the_destination_wins() -> None:
    found = clusters(to("two", port={"number": 81}, subset="v1"))
    assert found == ["outbound|81|v1|two.default.svc.cluster.local"]


def test_unknown_host_is_called_on_the_port_of_the_request() -> None:
    assert clusters(to("a.example.com")) == ["outbound|80||a.example.com"]


def test_nothing_follows_a_route_that_takes_everything() -> None:
    found = clusters(to("one", "/x"), to("one", "/"), to("two", "/y"))
    assert len(found) == 2


def test_delegate_gives_no_route() -> None:
    assert clusters({"delegate": {"name": "other"}}, to("one")) == [f"outbound|80||{ONE}"]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=5).filter(any))
def test_shares_of_destinations_are_those_of_the_weights(weights: list[int]) -> None:
    targets = [
        {"destination": {"host": "one", "subset": f"v{index}"}, "weight": weight}
        for index, weight in enumerate(weights)
    ]
    (route,) = built({"route": targets})
    expected = {f"outbound|80|v{i}|{ONE}": weight for i, weight in enumerate(weights) if weight}
    if len(weights) == 1:
        assert route.route.cluster in expected
        return
    shares = {one.name: one.weight.value for one in route.route.weighted_clusters.clusters}
    assert shares == expected


CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "uri": st.sampled_from([{"exact": "/a"}, {"prefix": "/a"}, {"prefix": "/"}, {"prefix": "/a/b"}]),
        "headers": st.sampled_from([{"x": {"exact": "1"}}, {"x": {}}, {"x": {"prefix": "1"}}]),
        "method": st.sampled_from([{"exact": "GET"}, {"exact": "PUT"}]),
        "port": st.sampled_from([80, 81]),
    },
)
REQUESTS = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["/", "/a", "/a/b", "/b"]),
        "x": st.sampled_from([None, "1", "12", "2"]),
        "method": st.sampled_from(["GET", "PUT"]),
    }
)


def fits(text: str | None, wanted: dict[str, str]) -> bool:
    """What the documentation of StringMatch says."""
    if text is None:
        return False
    return text == wanted.get("exact", text) and text.startswith(wanted.get("prefix", ""))


def is_meant(condition: dict[str, Any], request: dict[str, Any]) -> bool:
    return (
        fits(request["path"], condition.get("uri", {}))
        and ("headers" not in condition or fits(request["x"], condition["headers"]["x"]))
        and fits(request["method"], condition.get("method", {}))
        and condition.get("port", 80) == 80
    )


def takes(match: Any, request: dict[str, Any]) -> bool:
    """What Envoy does with the conditions of a route."""
    kind = match.WhichOneof("path_specifier")
    if not (request["path"] == match.path if kind == "path" else request["path"].startswith(match.prefix)):
        return False
    for header in match.headers:
        text = request["method"] if header.name == ":method" else request[header.name]
        if text is None:
            return False
        exact, prefix = header.string_match.exact, header.string_match.prefix
        if not header.present_match and not (text == exact if exact else text.startswith(prefix)):
            return False
    return True


@settings(max_examples=200)
@given(st.lists(st.lists(CONDITIONS, max_size=3), min_size=1, max_size=5), REQUESTS)
def test_the_first_rule_whose_conditions_hold_decides(
    rules: list[list[dict[str, Any]]], request: dict[str, Any]
) -> None:
    http = [
        {"name": str(index), "match": conditions, "route": [{"destination": {"host": "one"}}]}
        for index, conditions in enumerate(rules)
    ]
    expected = next(
        (str(i) for i, found in enumerate(rules) if not found or any(is_meant(c, request) for c in found)),
        None,
    )
    assert next((route.name for route in built(*http) if takes(route.match, request)), None) == expected
