from __future__ import annotations

from types import SimpleNamespace

import pytest

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.control import refusals
from bookmesh.mesh.control.proxies import OpenProxy, Push
from bookmesh.mesh.translate.built import part_of
from bookmesh.mesh.translate.resources import Built, ResourceSet
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds.nacks import Nack

REVIEWS = ObjectRef("VirtualService", "reviews", "default")
RATINGS = ObjectRef("VirtualService", "ratings", "default")
KEY = (type_urls.ROUTES, "9080")
SPECS = {
    REVIEWS: {"hosts": ["reviews"], "http": [{"match": [{"uri": {"regex": "/([a-z"}}]}]},
    RATINGS: {"hosts": ["ratings"]},
}


class FakeBuilt(Built):
    """No message inside."""

    __slots__ = ()

    def __init__(self, *sources):
        self.type_url, self.name = KEY
        self.sources = sources


def push(*sources, **digests):
    by_name = {"reviews": REVIEWS, "ratings": RATINGS}
    configs = [SimpleNamespace(refs=(by_name[name],), digest=digest) for name, digest in digests.items()]
    resource_set = ResourceSet(part_of([FakeBuilt(*sources)]), part_of([]))
    return Push(resource_set, SimpleNamespace(configs=configs))


def find(pushed, accepted=None, message="something is wrong", key=KEY):
    return refusals.find_blamed(key, message, pushed, accepted, SPECS.get)


def test_what_changed_since_the_proxy_was_content_is_blamed():
    accepted = push(REVIEWS, RATINGS, reviews="1", ratings="1")
    assert find(push(REVIEWS, RATINGS, reviews="1", ratings="2"), accepted) == (RATINGS,)


def test_what_the_message_quotes_is_blamed_when_all_is_new():
    pushed = push(REVIEWS, RATINGS, reviews="1", ratings="1")
    assert find(pushed, message="missing ]: [a-z") == (REVIEWS,)
    assert find(pushed, message="bad domain ratings in virtual host") == (RATINGS,)


def test_everything_behind_the_resource_is_blamed_when_nothing_tells_them_apart():
    pushed = push(REVIEWS, RATINGS, reviews="1", ratings="1")
    assert find(pushed) == (REVIEWS, RATINGS)
    assert find(pushed, accepted=pushed) == (REVIEWS, RATINGS)


@pytest.mark.parametrize("key", [(type_urls.SECRET, "default"), (type_urls.ROUTES, "gone")])
def test_no_object_is_blamed_for_what_none_is_behind(key):
    assert find(push(REVIEWS, reviews="1"), key=key) == ()


def open_proxy(name, nack):
    proxy = SimpleNamespace(id=name, name=name, namespace="default")
    feed = SimpleNamespace(refused=lambda: {KEY: nack} if nack else {})
    return OpenProxy(proxy, feed, None, None, pushed=push(REVIEWS, reviews="1"))


def test_blame_is_assigned_once_per_refusal_and_taken_back(caplog):
    proxy = open_proxy("sleep", Nack(type_urls.ROUTES, "missing ]: [a-z", 1.0, ("9080",)))
    assert refusals.assign_blame(proxy, SPECS.get)
    assert not refusals.assign_blame(proxy, SPECS.get)
    assert [record.getMessage() for record in caplog.records] == [
        "sleep refuses RDS 9080, from VirtualService default/reviews: missing ]: [a-z"
    ]
    proxy.feed.refused = dict
    assert refusals.assign_blame(proxy, SPECS.get)
    assert proxy.blamed == {}


def test_proxies_that_refuse_the_same_make_one_finding():
    nack = Nack(type_urls.ROUTES, "missing ]: [a-z", 1.0, ("9080",))
    both = [open_proxy("b", nack), open_proxy("a", nack), open_proxy("content", None)]
    for proxy in both:
        refusals.assign_blame(proxy, SPECS.get)
    (finding,) = refusals.findings_for(both)
    assert finding.code == "BM0206"
    assert finding.subject == REVIEWS
    assert finding.message == "Envoy refuses RDS 9080: missing ]: [a-z"
    assert "default/a, default/b" in finding.known


def test_a_long_message_is_cut_to_what_matters():
    dump = 'name: "x"\n' * 100
    nack = Nack(
        type_urls.ROUTES, f"{dump}: Proto constraint validation failed (port is required)", 1.0, ("9080",)
    )
    proxy = open_proxy("sleep", nack)
    (finding,) = refusals.findings_for([proxy])
    assert finding.message == "Envoy refuses RDS 9080: Proto constraint validation failed (port is required)"
    assert finding.subject is None
    assert "defect of the mesh" in finding.hint
    proxy.feed.refused = lambda: {KEY: Nack(type_urls.ROUTES, dump, 1.0, ("9080",))}
    assert len(refusals.findings_for([proxy])[0].message) < 450
