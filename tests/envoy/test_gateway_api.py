"""What the Gateway API promises about requests, on a real Envoy: each claimed feature has a test with its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.envoy import applications, gateways
from tests.envoy.gateways import Proxy

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with gateways.running(HERE / "gateway-api.yaml", tmp_path_factory.mktemp("gateway")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with gateways.running(HERE / "gateway-api-mesh.yaml", tmp_path_factory.mktemp("mesh")) as proxy:
        yield proxy


@pytest.mark.feature("HTTPRoute")
@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/", {}, "one"),
        ("/exact", {}, "two"),
        ("/exact/", {}, "one"),
        ("/two", {}, "two"),
        ("/two/", {}, "two"),
        ("/twofold", {}, "one"),
        ("/two/one", {}, "one"),
        ("/two/one/more", {}, "one"),
        ("/", {"version": "two"}, "two"),
        ("/", {"version": "three"}, "one"),
    ],
)
def test_paths_and_headers_choose_the_rule(
    gateway: Proxy, path: str, headers: dict[str, str], expected: str
) -> None:
    assert gateway.server(path, "matches.example.com", **headers) == expected


@pytest.mark.feature("HTTPRouteQueryParamMatching")
@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ("?animal=whale", {}, "two"),
        ("?animal=dolphin", {}, "one"),
        ("?animal=whale", {"x": "one"}, "one"),
        ("?other=whale", {}, "one"),
    ],
)
def test_parameters_of_the_query_choose_the_rule(
    gateway: Proxy, query: str, headers: dict[str, str], expected: str
) -> None:
    """Two conditions on headers and query are more than one on the query."""
    assert gateway.server(f"/{query}", "matches.example.com", **headers) == expected


@pytest.mark.feature("HTTPRouteMethodMatching")
def test_the_method_chooses_the_rule(gateway: Proxy) -> None:
    assert gateway.server("/", "matches.example.com", method="POST") == "two"
    assert gateway.server("/", "matches.example.com", method="PUT") == "one"


@pytest.mark.feature("HTTPRoute")
def test_request_headers_are_changed(gateway: Proxy) -> None:
    answer = gateway.get("/headers", "changes.example.com", X_Set="old", X_Add="first", X_Gone="x")
    seen = {name.lower(): value for name, value in answer.seen["headers"].items()}
    assert (seen["x-set"], seen["x-add"]) == ("new", "first,more")
    assert "x-gone" not in seen


@pytest.mark.feature("HTTPRouteResponseHeaderModification")
def test_response_headers_are_changed(gateway: Proxy) -> None:
    answer = gateway.get("/headers", "changes.example.com")
    assert answer.headers["x-answered"] == "yes"
    assert "x-application" not in answer.headers


@pytest.mark.feature("HTTPRouteBackendRequestHeaderModification")
def test_headers_for_one_backend(gateway: Proxy) -> None:
    seen = gateway.get("/backend", "changes.example.com").seen["headers"]
    assert {name.lower(): value for name, value in seen.items()}["x-backend"] == "one"


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        pytest.param(
            "/scheme", 302, "https://changes.example.com/scheme",
            marks=pytest.mark.feature("HTTPRouteSchemeRedirect"),
        ),
        pytest.param(
            "/port", 302, "http://changes.example.com:8083/port",
            marks=pytest.mark.feature("HTTPRoutePortRedirect"),
        ),
        pytest.param("/host?a=1", 301, "http://example.org/host?a=1", marks=pytest.mark.feature("HTTPRoute")),
        pytest.param(
            "/prefix/x", 302, "http://changes.example.com/new/x",
            marks=pytest.mark.feature("HTTPRoutePathRedirect"),
        ),
        pytest.param(
            "/away/x", 302, "http://changes.example.com/x",
            marks=pytest.mark.feature("HTTPRoutePathRedirect"),
        ),
        pytest.param(
            "/full/x", 302, "http://changes.example.com/whole",
            marks=pytest.mark.feature("HTTPRoutePathRedirect"),
        ),
    ],
)  # fmt: skip
def test_redirections(gateway: Proxy, path: str, status: int, location: str) -> None:
    answer = gateway.get(path, "changes.example.com")
    assert (answer.status, answer.headers["location"]) == (status, location)


@pytest.mark.feature("GatewayPort8080")
def test_a_redirection_keeps_the_port_of_the_listener(gateway: Proxy) -> None:
    answer = gateway.get("/there", "alt.example.com", port=8080)
    assert answer.headers["location"] == "http://alt.example.com:8080/here"


@pytest.mark.feature("HTTPRouteHostRewrite")
def test_the_host_is_rewritten(gateway: Proxy) -> None:
    seen = gateway.get("/rewrite/x", "changes.example.com").seen["headers"]
    assert {name.lower(): value for name, value in seen.items()}["host"] == "inner.example.org"


@pytest.mark.feature("HTTPRoutePathRewrite")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/rewrite/x?a=1", "/other/x?a=1"),
        ("/rewrite", "/other"),
        ("/strip/x", "/x"),
        ("/strip", "/"),
        ("/replace/x/y", "/all"),
    ],
)
def test_the_path_is_rewritten(gateway: Proxy, path: str, expected: str) -> None:
    assert gateway.get(path, "changes.example.com").seen["path"] == expected


@pytest.mark.feature("HTTPRouteRequestMirror")
@pytest.mark.feature("HTTPRouteRequestMultipleMirrors")
def test_copies_go_to_every_mirror(gateway: Proxy) -> None:
    assert gateway.server("/mirror/once", "changes.example.com") == "one"
    for name in ("two", "three"):
        applications.wait_until(lambda name=name: "/mirror/once" in gateway.requests[name])


@pytest.mark.feature("HTTPRouteRequestPercentageMirror")
def test_a_share_of_the_requests_is_copied(gateway: Proxy) -> None:
    for number in range(200):
        gateway.server(f"/some/{number}", "changes.example.com")
    # Copies are sent before the answer comes; the last ones may still be on their way.
    gateway.server("/mirror/last", "changes.example.com")
    applications.wait_until(lambda: "/mirror/last" in gateway.requests["two"])
    copied = sum(path.startswith("/some/") for path in gateway.requests["two"])
    assert 20 <= copied <= 85  # of 200 at 25 %: beyond it once in 10^7 runs


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/slow", marks=pytest.mark.feature("HTTPRouteRequestTimeout")),
        pytest.param("/try", marks=pytest.mark.feature("HTTPRouteBackendTimeout")),
    ],
)
def test_what_takes_too_long_is_given_up(gateway: Proxy, path: str) -> None:
    assert gateway.get(f"{path}?delay=2", "changes.example.com").status == 504
    # On a busy machine an answer may take the 200 ms that are allowed; most do not.
    applications.wait_until(lambda: gateway.get(path, "changes.example.com").status == 200)


@pytest.mark.feature("HTTPRoute")
def test_weights_split_requests(gateway: Proxy) -> None:
    counts = Counter(gateway.server("/split", "changes.example.com") for _ in range(200))
    assert set(counts) == {"one", "two"}
    assert 103 <= counts["one"] <= 175  # of 200 at 70 %: beyond it once in 10^8 runs


@pytest.mark.feature("ReferenceGrant")
def test_a_granted_backend_of_another_namespace_is_reached(gateway: Proxy) -> None:
    assert gateway.server("/granted", "changes.example.com") == "three"


@pytest.mark.feature("HTTPRoute")
def test_a_backend_that_is_missing_gives_500(gateway: Proxy) -> None:
    assert gateway.get("/missing", "changes.example.com").status == 500
    counts = Counter(gateway.get("/half", "changes.example.com").status for _ in range(60))
    assert set(counts) == {200, 500}


@pytest.mark.feature("HTTPRouteParentRefPort")
def test_a_route_for_one_port_is_not_on_another(gateway: Proxy) -> None:
    assert gateway.server("/exact", "changes.example.com", port=8080) == "two"
    assert gateway.get("/split", "alt.example.com").status == 404


@pytest.mark.feature("HTTPRoute")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("a.example.com", 200),
        ("a.b.example.com", 200),
        ("very.specific.com", 200),
        ("example.com", 404),
        ("other.com", 404),
        ("elsewhere.org", 404),
    ],
)
def test_hosts_are_those_that_route_and_listener_share(gateway: Proxy, host: str, status: int) -> None:
    assert gateway.get("/", host, port=8081).status == status


@pytest.mark.feature("HTTPRoute")
def test_a_route_of_a_namespace_that_may_not_attach_is_not_there(gateway: Proxy) -> None:
    assert gateway.get("/", "denied.example.com").status == 404


@pytest.mark.feature("GRPCRoute")
@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/hello.Greeter/SayHello", {}, "one"),
        ("/hello.Greeter/Other", {}, "two"),
        ("/other.Service/Call", {"version": "two"}, "two"),
    ],
)
def test_calls_go_by_method_and_header(
    gateway: Proxy, path: str, headers: dict[str, str], expected: str
) -> None:
    assert gateway.server(path, "rpc.example.com", method="POST", **headers) == expected


@pytest.mark.feature("GRPCRoute")
def test_a_call_that_no_rule_takes_is_not_served(gateway: Proxy) -> None:
    assert gateway.get("/other.Service/Call", "rpc.example.com", method="POST").status == 404


@pytest.mark.feature("Mesh")
def test_a_route_of_a_service_moves_its_requests(mesh: Proxy) -> None:
    assert mesh.server("/v2", "echo") == "two"
    counts = Counter(mesh.server("/split", "echo.default") for _ in range(200))
    assert set(counts) == {"one", "two"}
    assert 60 <= counts["one"] <= 140  # of 200 at 50 %: beyond it once in 10^8 runs


@pytest.mark.feature("Mesh")
def test_a_route_of_a_service_is_about_its_port_alone(mesh: Proxy) -> None:
    assert mesh.get("/set", "echo").headers["x-route"] == "echo"
    assert "x-route" not in mesh.get("/set", "echo:8080", port=8080).headers
    assert mesh.server("/v2", "echo:8080", port=8080) == "echo"


@pytest.mark.feature("Mesh")
def test_what_no_rule_takes_is_not_found_and_others_are_as_before(mesh: Proxy) -> None:
    assert mesh.get("/unknown", "echo").status == 404
    assert mesh.server("/v2", "one") == "one"


@pytest.mark.feature("MeshConsumerRoute")
def test_callers_have_routes_of_their_own(mesh: Proxy) -> None:
    """The producer's route is older, and is for everybody who has none."""
    assert mesh.get("/", "three.other").headers["x-route"] == "consumer"
