"""Memory between pushes."""

from __future__ import annotations

from bookmesh.mesh.translate import caching


class Value:
    def __init__(self, *arguments: object, **named: object) -> None:
        self.arguments = (arguments, named)


def test_value_in_use_is_built_once() -> None:
    cache = caching.Cache()
    first = cache.get("key", Value)
    assert cache.get("key", Value) is first
    assert (cache.hits, cache.misses) == (1, 1)


def test_value_nobody_holds_is_forgotten() -> None:
    cache = caching.Cache()
    first = cache.get("key", Value, 1)
    assert cache.get("key", Value, 2) is first
    del first
    assert cache.get("key", Value, 2).arguments == ((2,), {})


def test_builder_gets_its_arguments() -> None:
    found = caching.Cache().get("key", Value, "a", b=2)
    assert found.arguments == (("a",), {"b": 2})


def test_value_can_be_put_and_found_while_it_is_held() -> None:
    cache, value = caching.Cache(), Value()
    cache.put("key", value)
    assert cache.find("key") is value
    del value
    assert cache.find("key") is None


def test_notes_on_one_thing_last_until_another_one_is_asked_about() -> None:
    cache, first, second = caching.Cache(), Value(), Value()
    cache.notes_on(first)["key"] = 1
    assert cache.notes_on(first) == {"key": 1}
    assert cache.notes_on(second) == {}
    assert cache.notes_on(first) == {}
