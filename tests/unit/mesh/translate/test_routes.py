"""Destinations without a port, and routes after one that takes everything."""

from __future__ import annotations

from typing import Any

from tests.golden.translate import worlds

from bookmesh.mesh.translate import routes
from bookmesh.mesh.translate import scope as scopes


def clusters(*http: dict[str, Any], port: int = 80) -> list[str]:
    """The clusters of the routes of one VirtualService, for a sidecar that is called on a port."""
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
    scope = scopes.build_scope(snapshot, namespace="default", is_router=False, labels={})
    built = routes.build_routes(snapshot.routings[0], routes.Place(scope, port))
    return [route.route.cluster for route in built]


def to(host: str, prefix: str = "/a", **destination: Any) -> dict[str, Any]:
    return {"match": [{"uri": {"prefix": prefix}}], "route": [{"destination": {"host": host, **destination}}]}


def test_only_port_of_a_service_is_taken() -> None:
    assert clusters(to("one")) == ["outbound|8000||one.default.svc.cluster.local"]


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
    assert clusters({"delegate": {"name": "other"}}, to("one")) == [
        "outbound|8000||one.default.svc.cluster.local"
    ]
