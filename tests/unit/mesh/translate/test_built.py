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
