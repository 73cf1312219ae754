"""What a scope gets, by type of proxy."""

from __future__ import annotations

from collections import Counter

from tests.golden.translate import worlds

from bookmesh.mesh.translate import caching, outbound
from bookmesh.mesh.wire import type_urls

SNAPSHOT = worlds.load(worlds.HERE / "sidecar-without-configuration.in.yaml").snapshot


def build(*, is_router: bool) -> Counter[str]:
    going = outbound.build(
        SNAPSHOT, namespace="default", is_router=is_router, labels={}, cache=caching.Cache()
    )
    try:
        while True:
            next(going)
    except StopIteration as end:
        found = end.value
    return Counter(
        {type_urls.SHORT_NAMES[type_url]: len(built) for type_url, built in found.part.built.items() if built}
    )


def test_gateway_has_clusters_and_endpoints_only() -> None:
    assert set(build(is_router=True)) == {"CDS", "EDS"}


def test_sidecar_has_a_route_configuration_for_every_http_port() -> None:
    found = build(is_router=False)
    assert found["RDS"] == 2
    assert found["LDS"] == 4  # all connections, two HTTP ports, and one service that does not speak HTTP
