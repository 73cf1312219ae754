"""Resources that do not fit together are noticed."""

from __future__ import annotations

from tests.golden.translate import worlds

from bookmesh.mesh.translate import built as built_
from bookmesh.mesh.translate import consistency, resources
from bookmesh.mesh.wire import cluster, type_urls

WORLD = worlds.load(worlds.HERE / "sidecar-without-configuration.in.yaml")
REVIEWS = "outbound|9080||reviews.default.svc.cluster.local"


def problems(**without: str) -> list[str]:
    """Check a whole set from which one resource of a type is missing."""
    whole = WORLD.resources()
    left = {worlds.TYPES[short]: name for short, name in without.items()}
    built = {
        type_url: {name: b for name, b in found.items() if left.get(type_url) != name}
        for type_url in type_urls.TRANSLATED
        for found in (whole.of(type_url),)
    }
    return consistency.check(resources.ResourceSet(built_.Part(built), built_.part_of([])))


def test_whole_set_is_consistent() -> None:
    assert problems() == []


def test_cluster_without_endpoints_is_noticed() -> None:
    assert problems(EDS=REVIEWS) == [f"cluster {REVIEWS} has no endpoint assignment"]


def test_endpoints_without_cluster_are_noticed() -> None:
    assert problems(CDS=REVIEWS) == [f"endpoints of {REVIEWS} belong to no cluster"]


def test_listener_without_its_routes_is_noticed() -> None:
    assert problems(RDS="9080") == ["listener 0.0.0.0_9080 uses routes 9080, which do not exist"]


def test_listener_without_its_cluster_is_noticed() -> None:
    assert "listener virtualOutbound uses cluster PassthroughCluster, which does not exist" in problems(
        CDS="PassthroughCluster"
    )


def test_routes_without_listener_are_noticed() -> None:
    assert problems(LDS="0.0.0.0_9080") == ["routes 9080 are used by no listener"]


def test_resource_under_a_wrong_name_is_noticed() -> None:
    built = {type_url: {} for type_url in type_urls.TRANSLATED}
    wrong = resources.Built(type_urls.CLUSTER, "a", cluster.Cluster(name="b"))
    built[type_urls.CLUSTER] = {"a": wrong}
    found = consistency.check(resources.ResourceSet(built_.Part(built), built_.part_of([])))
    assert "CDS resource a calls itself b" in found


def test_what_is_shared_and_a_proxys_own_is_noticed() -> None:
    whole = WORLD.resources()
    found = consistency.check(resources.ResourceSet(whole.shared, whole.shared))
    assert f"{type_urls.LISTENER} virtualOutbound is shared and the proxy's own" in found


def test_domain_of_two_hosts_is_noticed() -> None:
    whole = WORLD.resources()
    routes = whole.messages(type_urls.ROUTES)["9080"]
    clashing = type(routes).FromString(routes.SerializeToString())
    clashing.virtual_hosts[0].domains.append("REVIEWS")
    built = {type_url: {**whole.of(type_url)} for type_url in type_urls.TRANSLATED}
    built[type_urls.ROUTES]["9080"] = resources.Built(type_urls.ROUTES, "9080", clashing)
    (problem,) = consistency.check(resources.ResourceSet(built_.Part(built), built_.part_of([])))
    assert problem.startswith("routes 9080: domain ")
