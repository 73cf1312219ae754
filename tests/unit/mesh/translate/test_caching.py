"""Memory between pushes."""

from __future__ import annotations

from bookmesh.mesh.translate import caching


def test_value_is_built_once_a_push_and_kept_for_the_next() -> None:
    cache = caching.Cache()
    cache.advance("1")
    first = cache.get("key", object)
    assert cache.get("key", object) is first
    cache.advance("2")
    assert cache.get("key", object) is first
    assert (cache.hits, cache.misses) == (2, 1)


def test_value_two_pushes_did_not_ask_for_is_forgotten() -> None:
    cache = caching.Cache()
    cache.advance("1")
    first = cache.get("key", object)
    cache.advance("2")
    cache.advance("3")
    assert cache.get("key", object) is not first


def test_same_push_again_forgets_nothing() -> None:
    cache = caching.Cache()
    cache.advance("1")
    first = cache.get("key", object)
    for _ in range(3):
        cache.advance("1")
    assert cache.get("key", object) is first


def test_builder_gets_its_arguments_and_none_is_a_value() -> None:
    cache = caching.Cache()
    assert cache.get("key", dict, {"a": 1}, b=2) == {"a": 1, "b": 2}
    assert cache.get("none", lambda: None) is None
    assert cache.get("none", lambda: 1) is None
