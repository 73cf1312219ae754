"""What proxies share, and what stays the same from push to push."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.golden.translate import worlds

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.translate import caching, resources
from bookmesh.mesh.wire import type_urls

BOOKINFO = worlds.HERE / "bookinfo.yaml"


def objects(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [*yaml.safe_load_all(BOOKINFO.read_text()), *more]


def virtual_service(host: str, **route: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": host},
        "spec": {"hosts": [host], "http": [{"route": [{"destination": {"host": host}}], **route}]},
    }


def proxy(name: str) -> proxies.Proxy:
    for obj in objects():
        if obj["kind"] == "Pod" and obj["metadata"]["name"] == name:
            obj["metadata"].setdefault("namespace", "default")
            return proxies.build_proxy(obj, ip=obj["status"]["podIP"])
    raise AssertionError(name)


def identities(found: resources.ResourceSet) -> dict[tuple[str, str], int]:
    return {(t, name): id(built) for t in type_urls.TRANSLATED for name, built in found.of(t).items()}


def changed(before: resources.ResourceSet, after: resources.ResourceSet) -> set[str]:
    one, other = identities(before), identities(after)
    return {name for (_, name), identity in other.items() if one.get((_, name)) != identity}


def test_sidecars_of_one_namespace_share_everything_outbound() -> None:
    snapshot, cache = worlds.build(objects(), {}).snapshot, caching.Cache()
    one = resources.resources(proxy("details-v1"), snapshot, cache)
    other = resources.resources(proxy("reviews-v1"), snapshot, cache)
    assert changed(one, other) == {"virtualInbound", "inbound|9080||"}


def test_replicas_share_the_inbound_side_too() -> None:
    snapshot, cache = worlds.build(objects(), {}).snapshot, caching.Cache()
    one = resources.resources(proxy("reviews-v1"), snapshot, cache)
    other = resources.resources(proxy("reviews-v2"), snapshot, cache)
    assert changed(one, other) == set()


def test_source_labels_separate_only_the_proxies_that_differ_in_them() -> None:
    only_v1 = virtual_service("details", match=[{"sourceLabels": {"version": "v1"}}], timeout="1s")
    snapshot, cache = worlds.build(objects(only_v1), {}).snapshot, caching.Cache()
    built = {
        name: resources.resources(proxy(name), snapshot, cache).of(type_urls.ROUTES)["9080"]
        for name in ("reviews-v1", "reviews-v2", "ratings-v1")
    }
    assert built["reviews-v1"] is built["ratings-v1"]
    assert built["reviews-v1"] is not built["reviews-v2"]


def test_unchanged_input_gives_the_same_objects_in_a_new_push() -> None:
    cache = caching.Cache()
    before = resources.resources(proxy("reviews-v1"), worlds.build(objects(), {}).snapshot, cache)
    extra = {"kind": "Namespace", "metadata": {"name": "new"}}
    after = resources.resources(proxy("reviews-v1"), worlds.build(objects(extra), {}).snapshot, cache)
    assert changed(before, after) == set()


def test_change_of_one_route_changes_one_resource() -> None:
    cache = caching.Cache()
    before = resources.resources(proxy("reviews-v1"), worlds.build(objects(), {}).snapshot, cache)
    snapshot = worlds.build(objects(virtual_service("ratings", timeout="1s")), {}).snapshot
    assert changed(before, resources.resources(proxy("reviews-v1"), snapshot, cache)) == {"9080"}


def test_pod_that_goes_away_changes_endpoints_only() -> None:
    cache = caching.Cache()
    before = resources.resources(proxy("details-v1"), worlds.build(objects(), {}).snapshot, cache)
    fewer = [obj for obj in objects() if obj["metadata"]["name"] != "reviews-v2"]
    after = resources.resources(proxy("details-v1"), worlds.build(fewer, {}).snapshot, cache)
    name = "outbound|9080||reviews.default.svc.cluster.local"
    assert changed(before, after) == {name}
    assert before.of(type_urls.CLUSTER)[name] is after.of(type_urls.CLUSTER)[name]


def test_cache_changes_nothing_but_time() -> None:
    snapshot, cache = worlds.build(objects(virtual_service("details")), {}).snapshot, caching.Cache()
    for name in ("details-v1", "istio-ingressgateway-1"):
        cached, fresh = (resources.resources(proxy(name), snapshot, c) for c in (cache, None))
        for type_url in type_urls.TRANSLATED:
            assert cached.messages(type_url) == fresh.messages(type_url)
            assert all(
                b.serialized == fresh.of(type_url)[n].serialized for n, b in cached.of(type_url).items()
            )


def test_sources_name_the_objects_behind_a_resource() -> None:
    snapshot = worlds.build(objects(virtual_service("ratings")), {}).snapshot
    sources = resources.resources(proxy("details-v1"), snapshot).sources()
    assert ObjectRef("VirtualService", "ratings", "default") in sources[type_urls.ROUTES, "9080"]
    cluster = "outbound|9080||ratings.default.svc.cluster.local"
    assert sources[type_urls.CLUSTER, cluster] == (ObjectRef("Service", "ratings", "default"),)


@pytest.mark.parametrize("name", ["details-v1", "istio-ingressgateway-1"])
def test_every_translated_type_has_an_entry(name: str) -> None:
    found = resources.resources(proxy(name), worlds.build(objects(), {}).snapshot)
    assert set(found.shared.built) == set(found.own.built) == set(type_urls.TRANSLATED)
