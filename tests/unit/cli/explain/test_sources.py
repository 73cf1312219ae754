from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.explain import requests, sources
from bookmesh.cli.explain.sources import Source


def thing(kind: str, name: str, spec: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec, **fields}


RULE = thing(
    "VirtualService",
    "reviews",
    {
        "hosts": ["reviews"],
        "http": [
            {
                "match": [{"gateways": ["other"]}, {"headers": {"end-user": {"exact": "jason"}}}],
                "route": [{"destination": {"host": "reviews", "subset": "v2"}}],
            },
            {
                "route": [
                    {"destination": {"host": "ratings"}},
                    {"destination": {"host": "reviews", "subset": "v1"}},
                ]
            },
        ],
    },
)
WORLD = sources.World(
    services=[thing("Service", "reviews", {"ports": [{"port": 80}, {"port": 9080}]})],
    pods=[thing("Pod", "reviews-v1-x", {}, status={"podIP": "10.244.0.5"})],
    virtual_services=[RULE],
    destination_rules=[thing("DestinationRule", "reviews", {"host": "reviews", "subsets": [{"name": "v1"}]})],
    service_entries=[
        thing("ServiceEntry", "any", {"hosts": ["*.a.com"], "ports": [{"number": 443}]}),
        thing(
            "ServiceEntry",
            "one",
            {
                "hosts": ["x.a.com"],
                "ports": [{"number": 80}, {"number": 443}],
                "endpoints": [{"address": "10.9.0.1"}],
            },
        ),
    ],
)
SIDECAR = sources.Place(9080)
HOST = small_dumps.dump().routes()[0]["virtual_hosts"][0]


@pytest.mark.parametrize(
    ("host", "namespace", "is_same"),
    [
        ("reviews", "default", True),
        ("reviews", "other", False),
        ("reviews.default", "other", True),
        (small_dumps.HOST, "other", True),
    ],
)
def test_short_names_mean_the_service_of_the_rules_namespace(
    host: str, namespace: str, is_same: bool
) -> None:
    assert sources.is_same_host(host, small_dumps.HOST, namespace) is is_same


def test_a_port_of_a_service() -> None:
    assert sources.of_service(WORLD, "reviews", 9080) == (Source("Service default/reviews", "spec.ports[1]"),)
    assert sources.of_service(WORLD, "reviews", 1) == (Source("Service default/reviews"),)
    assert sources.of_service(WORLD, "nobody", 1) == ()


def test_the_most_specific_service_entry_counts() -> None:
    assert sources.of_service(WORLD, "x.a.com", 443) == (Source("ServiceEntry default/one", "spec.ports[1]"),)
    assert sources.of_service(WORLD, "y.a.com", 443) == (Source("ServiceEntry default/any", "spec.ports[0]"),)


def test_a_route_is_found_by_its_condition_among_those_that_apply_here() -> None:
    first = sources.of_route(WORLD, HOST["routes"][0], SIDECAR)
    assert [str(each) for each in first] == ["VirtualService default/reviews  spec.http[0].match[1]"]
    second = sources.of_route(WORLD, HOST["routes"][1], SIDECAR)
    assert second == (Source("VirtualService default/reviews", "spec.http[1]"),)


def test_a_route_whose_rule_has_changed_names_the_object_alone() -> None:
    changed = {**HOST["routes"][0], "match": {"prefix": "/gone"}}
    assert sources.of_route(WORLD, changed, SIDECAR) == (
        Source("VirtualService default/reviews", "spec.http"),
    )


def test_a_route_of_another_kind_is_named_by_its_path() -> None:
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/default/http-route/a"
    route = {"metadata": {"filter_metadata": {"istio": {"config": path}}}}
    assert sources.of_route(WORLD, route, SIDECAR) == (Source("HTTPRoute default/a"),)
    assert sources.of_route(WORLD, {}, SIDECAR) == ()


def test_a_destination_is_found_by_host_and_subset() -> None:
    rule = (Source("VirtualService default/reviews", "spec.http[1]"),)
    assert sources.of_destination(WORLD, rule, small_dumps.cluster("v1")) == (
        Source("VirtualService default/reviews", "spec.http[1].route[1]"),
    )
    assert sources.of_destination(WORLD, rule, small_dumps.cluster("v9")) == ()
    assert sources.of_destination(WORLD, (), small_dumps.cluster("v1")) == ()


def test_a_part_of_a_rule_is_beside_its_match() -> None:
    rule = (Source("VirtualService default/reviews", "spec.http[0].match[1]"),)
    assert sources.inside(rule, "fault") == (Source("VirtualService default/reviews", "spec.http[0].fault"),)


def cluster(subset: str, config: str = small_dumps.DESTINATIONS) -> dict[str, Any]:
    return {"name": small_dumps.cluster(subset), "metadata": small_dumps.metadata(config)}


def test_a_cluster_comes_from_service_and_destination_rule() -> None:
    service = Source("Service default/reviews", "spec.ports[1]")
    rule = Source("DestinationRule default/reviews", "spec.subsets[0]")
    assert sources.of_cluster(WORLD, cluster("v1")) == (service, rule)
    assert sources.of_cluster(WORLD, cluster("v1", config="")) == (service,)
    assert sources.of_cluster(WORLD, {"name": "PassthroughCluster"}) == ()


def test_rules_for_one_host_are_joined() -> None:
    policy = {"host": "reviews", "trafficPolicy": {"tls": {"mode": "DISABLE"}}}
    more = {"host": "reviews", "subsets": [{"name": "v7"}]}
    rules = [thing("DestinationRule", "reviews", policy), thing("DestinationRule", "more", more)]
    world = sources.World(destination_rules=rules)
    assert sources.of_cluster(world, cluster("v7")) == (
        Source("DestinationRule default/reviews", "spec.trafficPolicy"),
        Source("DestinationRule default/more", "spec.subsets[0]"),
    )


def test_an_endpoint_is_a_pod_or_a_line_of_an_entry() -> None:
    assert sources.of_endpoint(WORLD, "10.244.0.5") == (Source("Pod default/reviews-v1-x", "status.podIP"),)
    assert sources.of_endpoint(WORLD, "10.9.0.1") == (
        Source("ServiceEntry default/one", "spec.endpoints[0]"),
    )
    assert sources.of_endpoint(WORLD, "10.244.0.6") == ()


TLS_RULE = thing(
    "VirtualService",
    "db",
    {
        "hosts": ["db.a.com"],
        "tls": [
            {"match": [{"sniHosts": ["other"]}], "route": [{"destination": {"host": "other"}}]},
            {
                "match": [{"port": 9, "sniHosts": ["*.a.com"]}],
                "route": [{"destination": {"host": "db.a.com"}}],
            },
            {"match": [{"sniHosts": ["*.a.com"]}], "route": [{"destination": {"host": "db.a.com"}}]},
        ],
    },
)


def test_a_connection_is_found_by_its_name_and_where_it_goes() -> None:
    world = sources.World(virtual_services=[TLS_RULE])
    asked = requests.parse_request("-", "tls://db.a.com", ())
    cluster = "outbound|443||db.a.com"
    assert sources.of_connection(world, asked, sources.Place(443), [cluster]) == (
        Source("VirtualService default/db", "spec.tls[2].match[0]"),
    )
    assert sources.of_connection(world, asked, sources.Place(443), ["outbound|443||elsewhere"]) == ()


def test_a_gateway_listens_because_of_its_servers() -> None:
    gateway = thing(
        "Gateway",
        "gw",
        {
            "selector": {"istio": "gw"},
            "servers": [
                {"port": {"number": 80}, "hosts": ["a.com"]},
                {"port": {"number": 443}, "hosts": ["ns/b.com"]},
            ],
        },
    )
    own = thing(
        "Service",
        "gw",
        {
            "selector": {"istio": "gw"},
            "ports": [{"port": 80, "targetPort": 8080}, {"port": 443, "targetPort": 8443}],
        },
    )
    world = sources.World(services=[own], gateways=[gateway], labels={"istio": "gw"})
    plain = requests.parse_request("GET", "http://a.com", ())
    place = sources.Place(8080, is_gateway=True)
    assert sources.of_listener(world, plain, place) == (Source("Gateway default/gw", "spec.servers[0]"),)
    assert sources.of_server(world, plain, place) == (Source("Gateway default/gw", "spec.servers[0]"),)
    tls = requests.parse_request("GET", "https://b.com", ())
    inner = sources.Place(8443, is_gateway=True)
    assert sources.of_server(world, tls, inner) == (Source("Gateway default/gw", "spec.servers[1]"),)
    assert sources.of_server(world, plain, inner) == ()
    assert sources.of_listener(sources.World(gateways=[gateway]), plain, place) == ()


def test_hosts_nobody_knows_are_a_setting_of_the_mesh() -> None:
    asked = requests.parse_request("GET", "http://a.com", ())
    own = {"kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}}
    found = sources.of_host(sources.World(mesh_config=own), asked, {"name": "allow_any"}, SIDECAR)
    assert found == (Source("ConfigMap istio-system/istio", "data.mesh"),)
    assert sources.of_host(WORLD, asked, {"name": "allow_any"}, SIDECAR) == ()
    assert str(Source("a", "b", "c.yaml:3")) == "a  b  c.yaml:3"
    assert Source("a", "b", "c.yaml:3").as_json()["file"] == "c.yaml:3"


def test_a_route_of_a_gateway_is_that_of_the_rule_for_this_gateway() -> None:
    rule = thing(
        "VirtualService",
        "out",
        {
            "hosts": ["a.com"],
            "gateways": ["gw", "mesh"],
            "http": [{"match": [{"gateways": [name]}]} for name in ("mesh", "other", "gw")],
        },
    )
    gateways = [
        thing("Gateway", name, {"selector": {"istio": name}, "servers": []}) for name in ("other", "gw")
    ]
    path = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/out"
    route = {"match": {"prefix": "/", "case_sensitive": True}, "metadata": small_dumps.metadata(path)}
    world = sources.World(virtual_services=[rule], gateways=gateways, labels={"istio": "gw"})
    for place, where in (
        (sources.Place(80), "spec.http[0].match[0]"),
        (sources.Place(8080, is_gateway=True), "spec.http[2].match[0]"),
    ):
        assert sources.of_route(world, route, place) == (Source("VirtualService default/out", where),)


def test_a_pod_that_is_only_a_proxy_is_a_gateway() -> None:
    assert sources.is_gateway({"spec": {"containers": [{"name": "istio-proxy"}]}})
    assert not sources.is_gateway({"spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}]}})
