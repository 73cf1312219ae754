from __future__ import annotations

import pytest

from bookmesh.kube.node.addresses import PodAddresses


def test_addresses_begin_after_the_gateway_and_stay_with_their_pod() -> None:
    addresses = PodAddresses()
    assert [addresses.allocate("a"), addresses.allocate("b"), addresses.allocate("a")] == [
        "10.244.0.2",
        "10.244.0.3",
        "10.244.0.2",
    ]


def test_a_freed_address_waits_for_its_turn() -> None:
    addresses = PodAddresses("10.0.0.0/29")
    assert [addresses.allocate(uid) for uid in "abc"] == ["10.0.0.2", "10.0.0.3", "10.0.0.4"]
    addresses.release("a")
    assert addresses.allocate("d") == "10.0.0.5"
    assert addresses.allocate("e") == "10.0.0.6"
    assert addresses.allocate("f") == "10.0.0.2"
    with pytest.raises(RuntimeError, match=r"no free pod address in 10\.0\.0\.0/29"):
        addresses.allocate("g")


def test_pods_of_before_get_theirs_again() -> None:
    addresses = PodAddresses()
    addresses.reserve(
        [("a", "10.244.0.9"), ("b", "10.244.0.9"), ("c", "192.0.2.1"), ("d", "nonsense"), ("e", "10.244.0.1")]
    )
    assert addresses.allocate("a") == "10.244.0.9"
    assert addresses.allocate("b") == "10.244.0.2"
    assert addresses.allocate("c") == "10.244.0.3"


def test_releasing_an_unknown_pod_is_fine() -> None:
    PodAddresses().release("nobody")
