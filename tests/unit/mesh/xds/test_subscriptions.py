from __future__ import annotations

from bookmesh.mesh.xds.resources import Encoded
from bookmesh.mesh.xds.subscriptions import Subscription


def resources(*names: str) -> dict[str, Encoded]:
    return {name: Encoded(name, "1", b"") for name in names}


def updated(subscription: Subscription, *names: str) -> list[str]:
    subscription.replace(resources(*names))
    return [resource.name for resource in subscription.difference().updated]


def test_naming_nothing_first_asks_for_all_where_that_is_allowed():
    subscription = Subscription(may_ask_for_all=True)
    subscription.start([], {})
    assert updated(subscription, "a", "b") == ["a", "b"]


def test_naming_nothing_first_asks_for_nothing_elsewhere():
    subscription = Subscription(may_ask_for_all=False)
    subscription.start([], {})
    subscription.replace(resources("a"))
    assert not subscription.is_behind()


def test_naming_one_first_asks_for_that_one_only():
    subscription = Subscription(may_ask_for_all=True)
    subscription.start(["b"], {})
    assert updated(subscription, "a", "b") == ["b"]


def test_a_star_asks_for_all_later_and_can_be_taken_back():
    subscription = Subscription(may_ask_for_all=True)
    subscription.start(["b"], {})
    subscription.subscribe(["*"])
    assert updated(subscription, "a", "b") == ["a", "b"]
    subscription.mark_sent(resources("a", "b").values(), [])
    subscription.unsubscribe(["*"])
    assert subscription.has == {"b": "1"}
    assert updated(subscription, "a", "b") == []


def test_an_empty_answer_is_owed_once():
    subscription = Subscription(may_ask_for_all=True)
    subscription.start([], {})
    assert subscription.difference().needs_answer
    subscription.mark_sent([], [])
    assert not subscription.is_behind()


def test_forgetting_a_name_sends_it_again():
    subscription = Subscription(may_ask_for_all=False)
    subscription.start(["a"], {"a": "1"})
    assert updated(subscription, "a") == []
    subscription.forget("a")
    assert updated(subscription, "a") == ["a"]
