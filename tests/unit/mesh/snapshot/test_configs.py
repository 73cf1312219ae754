"""All configuration by kind: what is shared, and that what is kept in step is what a new start would find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bookmesh.mesh.model import destination_rules, gateways, internal, parsing, virtual_services
from bookmesh.mesh.snapshot import configs

ROUTE, RULE = virtual_services.VirtualService, destination_rules.DestinationRule


def parsed(kind: str, name: str, created: str = "", **spec: Any) -> parsing.Parsed:
    metadata = {"name": name, "namespace": "shop", "creationTimestamp": created}
    obj = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
    return parsing.parse(obj)


def route(name: str, host: str, created: str = "") -> parsing.Parsed:
    http = [{"route": [{"destination": {"host": host}}]}]
    return parsed("VirtualService", name, created, hosts=[host], http=http)


def hosts(one: parsing.Parsed) -> Iterator[str]:
    if isinstance(one.spec, ROUTE):
        yield from one.spec.hosts


HOSTS = st.sampled_from(("a", "b", "c"))
OBJECTS = st.dictionaries(st.sampled_from("pqrstu"), st.tuples(HOSTS, st.sampled_from(("1", "2"))))


@given(st.lists(OBJECTS, min_size=1, max_size=6))
def test_steps_lead_where_a_new_start_would(steps: list[dict[str, tuple[str, str]]]) -> None:
    kept = configs.collect([parsed("DestinationRule", "web", host="web")])
    rules = kept.of(RULE)
    known: dict[str, parsing.Parsed] = {}
    for step in steps:
        wanted = {name: route(name, *made) for name, made in step.items()}
        gone = [one for name, one in known.items() if wanted.get(name) != one]
        come = [one for name, one in wanted.items() if known.get(name) != one]
        known = {name: known[name] if known.get(name) == one else one for name, one in wanted.items()}
        before, kept = kept, kept.replaced(gone, come)
        fresh = configs.collect([*rules, *known.values()])
        assert kept == fresh
        assert list(kept) == list(fresh) == sorted(fresh, key=configs.merge_order)
        assert len(kept) == len(fresh)
        assert kept.of(RULE) is rules
        assert kept.facts(ROUTE, hosts) == fresh.facts(ROUTE, hosts) == {host for host, _ in step.values()}
        assert set(kept.since(before).gone) == set(gone)
        assert set(kept.since(before).come) == set(come)
        assert set(fresh.since(before).come) == set(come)


def test_what_is_derived_is_found_again_only_when_its_kind_changes() -> None:
    looks: list[int] = []

    def count(found: tuple[parsing.Parsed, ...]) -> int:
        looks.append(len(found))
        return len(found)

    first = configs.collect([route("a", "a"), parsed("DestinationRule", "web", host="web")])
    assert [first.derive(RULE, count), first.derive(RULE, count)] == [1, 1]
    second = first.replaced((), [route("b", "b")])
    assert second.derive(RULE, count) == 1
    assert looks == [1]
    third = second.replaced(second.of(RULE), ())
    assert third.derive(RULE, count) == 0
    assert looks == [1, 0]


def test_facts_are_asked_of_what_changes_only() -> None:
    asked: list[str] = []

    def name(one: parsing.Parsed) -> tuple[str, ...]:
        asked.append(one.ref.name)
        return (one.ref.name,)

    first = configs.collect([route(letter, letter) for letter in "abc"])
    assert first.facts(ROUTE, name) == set("abc")
    second = first.replaced([first[0]], [route("d", "d")])
    asked.clear()
    assert second.facts(ROUTE, name) == set("bcd")
    assert sorted(asked) == []
    assert first.facts(ROUTE, name) == set("abc")


def test_what_extends_a_kind_is_of_that_kind() -> None:
    plain = parsed("Gateway", "plain", servers=[])
    spec = internal.ServiceGateway(servers=(), service="web.shop.svc.cluster.local")
    bound = parsing.Parsed(plain.ref, "bound", plain.metadata, spec)
    broken = parsed("Gateway", "broken", servers=7)
    found = configs.collect([plain, bound, broken])
    assert set(found.of(gateways.Gateway)) == {plain, bound}
    assert set(found) == {plain, bound, broken}


def test_equal_objects_in_any_order_are_the_same_set() -> None:
    before = configs.collect([route("a", "a"), route("b", "b")])
    assert configs.collect([route("b", "b"), route("a", "a")], before) is before
    after = configs.collect([route("b", "other"), route("a", "a")], before)
    assert after.of(ROUTE)[0] is before.of(ROUTE)[0]
    assert after != before
