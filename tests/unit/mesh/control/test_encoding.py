from __future__ import annotations

from bookmesh.mesh.control.encoding import Encoder
from bookmesh.mesh.translate import built
from bookmesh.mesh.translate.resources import ResourceSet
from bookmesh.mesh.wire import cluster, type_urls

CDS = type_urls.CLUSTER


def one(name: str, alt: str = "") -> built.Built:
    return built.Built(CDS, name, cluster.Cluster(name=name, alt_stat_name=alt))


def part(*resources: built.Built) -> built.Part:
    return built.part_of(resources)


def derived(previous: built.Part, *resources: built.Built) -> built.Part:
    """A part that says itself what differs from the previous one."""
    whole = part(*resources)
    return built.Part(whole.built, previous=previous, changed=whole.changes_since(previous))


def test_a_proxy_that_was_given_nothing_gets_everything() -> None:
    found = Encoder().encode(ResourceSet(part(one("a")), part(one("in"))))
    assert sorted(found.resources[CDS]) == ["a", "in"]
    assert found.changed is None
    assert found.is_news


def test_only_what_differs_is_said_to_have_changed() -> None:
    encoder, own, kept = Encoder(), part(one("in")), one("kept")
    before = ResourceSet(part(kept, one("changed"), one("gone")), own)
    encoder.encode(before)
    after = ResourceSet(part(kept, one("changed", "x"), one("new")), own)
    found = encoder.encode(after, before)
    assert found.changed is not None
    assert found.changed[CDS] == {"changed", "gone", "new"}
    assert not encoder.encode(after, after).is_news


def test_a_part_that_knows_its_changes_is_encoded_as_one_that_does_not() -> None:
    kept, changed = one("kept"), one("changed", "x")
    first = part(kept, one("changed"), one("gone"))
    encoder = Encoder()
    encoder.encode(ResourceSet(first, part()))
    second = derived(first, kept, changed)
    found = encoder.encode(ResourceSet(second, part())).resources[CDS]
    assert dict(found) == dict(Encoder().encode(ResourceSet(part(kept, changed), part())).resources[CDS])


def test_bytes_are_made_once_and_forgotten_with_what_they_are_of() -> None:
    encoder, kept = Encoder(), one("kept")
    first = encoder.encode(ResourceSet(part(kept), part())).resources[CDS]["kept"]
    assert encoder.encode(ResourceSet(part(kept, one("b")), part())).resources[CDS]["kept"] is first
    del kept
    assert len(encoder._resources) == 0
