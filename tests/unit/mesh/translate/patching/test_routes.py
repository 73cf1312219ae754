"""Route configurations, virtual hosts and routes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.mesh.translate.patching.changes import change, place

from bookmesh.mesh.translate.patching import routes
from bookmesh.mesh.wire import route as wire

NEW = {"name": "new", "match": {"prefix": "/"}, "direct_response": {"status": 200}}


def config(name: str = "80") -> wire.RouteConfiguration:
    forward = wire.Route(name="forward", route=wire.RouteAction(cluster="x"))
    redirect = wire.Route(name="redirect", redirect=wire.RedirectAction(path_redirect="/"))
    hosts = [
        wire.VirtualHost(name="a:80", domains=["a", "a.b"], routes=[forward, redirect]),
        wire.VirtualHost(name="c:80", domains=["c"], routes=[redirect]),
    ]
    return wire.RouteConfiguration(name=name, virtual_hosts=hosts)


def patched(*changes: dict[str, Any], name: str = "80", **where: Any) -> wire.RouteConfiguration:
    found = config(name)
    routes.patch(found, place(*changes, **where))
    return found


def names(found: wire.RouteConfiguration) -> str:
    return " ".join(f"{h.name}({','.join(r.name for r in h.routes)})" for h in found.virtual_hosts)


@pytest.mark.parametrize(
    ("name", "match", "is_meant"),
    [
        ("80", {}, True),
        ("80", {"name": "80"}, True),
        ("80", {"name": "81"}, False),
        ("80", {"portNumber": 80}, True),
        ("80", {"portNumber": 81}, False),
        ("inbound|80||", {"portNumber": 80}, True),
        ("a.b:80", {"portNumber": 80}, False),
    ],
)
def test_routes_of_a_sidecar_are_found_by_name_and_port(
    name: str, match: dict[str, Any], is_meant: bool
) -> None:
    merge = change("ROUTE_CONFIGURATION", "MERGE", {"vhds": {}}, routeConfiguration=match)
    assert patched(merge, name=name).HasField("vhds") is is_meant


@pytest.mark.parametrize(
    ("name", "match", "is_meant"),
    [
        ("http.8080", {"portNumber": 80}, True),
        ("http.8080", {"portNumber": 8080}, False),
        ("https.443.tls.gw.shop", {"portNumber": 443, "portName": "tls", "gateway": "shop/gw"}, True),
        ("https.443.tls.gw.shop", {"gateway": "shop/other"}, False),
        ("https.443.tls.gw.shop", {"portName": "other"}, False),
    ],
)
def test_routes_of_a_gateway_are_found_by_server(name: str, match: dict[str, Any], is_meant: bool) -> None:
    merge = change("ROUTE_CONFIGURATION", "MERGE", {"vhds": {}}, routeConfiguration=match)
    found = patched(merge, name=name, context="GATEWAY", ports=((8080, (80,)),))
    assert found.HasField("vhds") is is_meant


@pytest.mark.parametrize(
    ("vhost", "expected"),
    [
        ({"name": "a:80"}, "c:80(redirect)"),
        ({"domainName": "a.b"}, "c:80(redirect)"),
        ({"domainName": "other"}, "a:80(forward,redirect) c:80(redirect)"),
        ({}, ""),
    ],
)
def test_hosts_are_removed_by_name_or_domain(vhost: dict[str, Any], expected: str) -> None:
    assert names(patched(change("VIRTUAL_HOST", "REMOVE", routeConfiguration={"vhost": vhost}))) == expected


def test_hosts_are_added_merged_and_replaced() -> None:
    added = change("VIRTUAL_HOST", "ADD", {"name": "new:80", "domains": ["new"]})
    vhost = {"vhost": {"name": "c:80"}}
    replaced = change("VIRTUAL_HOST", "REPLACE", {"name": "other:80"}, routeConfiguration=vhost)
    assert names(patched(added, replaced)) == "a:80(forward,redirect) other:80() new:80()"
    merged = change("VIRTUAL_HOST", "MERGE", {"domains": ["d"]}, routeConfiguration=vhost)
    assert list(patched(merged).virtual_hosts[1].domains) == ["c", "d"]


@pytest.mark.parametrize(
    ("operation", "route", "expected"),
    [
        ("ADD", None, "a:80(forward,redirect,new) c:80(redirect,new)"),
        ("INSERT_FIRST", None, "a:80(new,forward,redirect) c:80(new,redirect)"),
        ("INSERT_FIRST", {"name": "forward"}, "a:80(new,forward,redirect) c:80(redirect)"),
        ("INSERT_BEFORE", {"name": "redirect"}, "a:80(forward,new,redirect) c:80(new,redirect)"),
        ("INSERT_AFTER", {"name": "forward"}, "a:80(forward,new,redirect) c:80(redirect)"),
        ("INSERT_AFTER", None, "a:80(forward,redirect,new) c:80(redirect,new)"),
    ],
)
def test_routes_are_inserted_where_the_condition_holds(
    operation: str, route: dict[str, Any] | None, expected: str
) -> None:
    vhost = {"route": route} if route is not None else {}
    found = patched(change("HTTP_ROUTE", operation, NEW, routeConfiguration={"vhost": vhost}))
    assert names(found) == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("ANY", "a:80() c:80()"),
        ("ROUTE", "a:80(redirect) c:80(redirect)"),
        ("REDIRECT", "a:80(forward) c:80()"),
    ],
)
def test_routes_are_removed_by_action(action: str, expected: str) -> None:
    vhost = {"vhost": {"route": {"action": action}}}
    assert names(patched(change("HTTP_ROUTE", "REMOVE", routeConfiguration=vhost))) == expected


def test_routes_are_merged() -> None:
    vhost = {"vhost": {"name": "a:80", "route": {"name": "forward"}}}
    found = patched(change("HTTP_ROUTE", "MERGE", {"route": {"timeout": "2s"}}, routeConfiguration=vhost))
    (forward, _) = found.virtual_hosts[0].routes
    assert (forward.route.cluster, forward.route.timeout.seconds) == ("x", 2)
