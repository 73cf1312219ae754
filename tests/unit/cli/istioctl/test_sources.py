from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import sources
from bookmesh.cli.istioctl.sources import Source


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
)
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


def test_a_route_is_counted_among_those_that_apply_here() -> None:
    first = sources.of_route(WORLD, HOST, 0, port=9080, is_gateway=False)
    assert [str(each) for each in first] == ["VirtualService default/reviews  spec.http[0].match[1]"]
    second = sources.of_route(WORLD, HOST, 1, port=9080, is_gateway=False)
    assert second == (Source("VirtualService default/reviews", "spec.http[1]"),)


def test_a_destination_is_found_by_host_and_subset() -> None:
    rule = Source("VirtualService default/reviews", "spec.http[1]")
    assert sources.of_destination(WORLD, rule, small_dumps.cluster("v1")) == (
        Source("VirtualService default/reviews", "spec.http[1].route[1]"),
    )
    assert sources.of_destination(WORLD, rule, small_dumps.cluster("v9")) == ()


def test_a_cluster_comes_from_service_and_destination_rule() -> None:
    assert sources.of_cluster(WORLD, small_dumps.cluster("v1")) == (
        Source("Service default/reviews", "spec.ports[1]"),
        Source("DestinationRule default/reviews", "spec.subsets[0]"),
    )
    assert sources.of_cluster(WORLD, "PassthroughCluster") == ()


def test_an_endpoint_is_a_pod() -> None:
    assert sources.of_endpoint(WORLD, "10.244.0.5") == (Source("Pod default/reviews-v1-x", "status.podIP"),)
    assert sources.of_endpoint(WORLD, "10.244.0.6") == ()
