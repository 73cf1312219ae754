"""Finished resources."""

from __future__ import annotations

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.translate import built, caching
from bookmesh.mesh.wire import cluster, type_urls

SOURCE = (ObjectRef("Service", "web", "default"),)


def finish(cache: caching.Cache, name: str = "a", sources: tuple[ObjectRef, ...] = SOURCE) -> built.Built:
    return built.finish(type_urls.CLUSTER, name, cluster.Cluster(name=name), sources, cache)


def test_equal_content_is_the_same_object() -> None:
    cache = caching.Cache()
    assert finish(cache) is finish(cache)
    assert finish(cache) is not finish(cache, "b")
    assert finish(cache) is not finish(cache, sources=())


def test_bytes_are_the_message() -> None:
    found = finish(caching.Cache())
    assert cluster.Cluster.FromString(found.serialized) == found.message
    assert found.sources == SOURCE


def resource(name: str) -> built.Built:
    return built.Built(type_urls.CLUSTER, name, cluster.Cluster(name=name))


def test_part_tells_what_came_went_or_differs() -> None:
    kept, before = resource("kept"), resource("other")
    first = built.part_of([kept, before, resource("gone")])
    second = built.part_of([kept, resource("other"), resource("new")])
    assert second.changes_since(first)[type_urls.CLUSTER] == {"other", "gone", "new"}
    assert second.changes_since(second) == {}


def test_part_believes_what_it_was_told_about_the_part_it_was_made_from() -> None:
    first = built.part_of([resource("a")])
    told = {type_urls.CLUSTER: frozenset({"a"})}
    second = built.Part(first.built, previous=first, changed=told)
    assert second.changes_since(first) is told
    assert second.previous is first
    del first
    assert second.previous is None
