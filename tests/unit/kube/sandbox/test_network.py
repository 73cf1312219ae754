"""Addresses and rules of the node's network that need no kernel."""

from __future__ import annotations

from bookmesh.kube.sandbox import network, nft


def test_a_load_balancers_address_keeps_its_host_part_on_the_way() -> None:
    assert network.transit_address("127.97.3.254") == "10.97.3.254"


def test_load_balancer_rules_come_after_those_of_a_proxy() -> None:
    hooks = [chain.hook for chain in network.load_balancer_table().chains if chain.hook is not None]
    output = next(hook for hook in hooks if hook.point == "output")
    assert output.kind == "nat"
    assert output.priority > nft.DSTNAT


def test_connections_from_loopback_addresses_get_the_sandboxs_address_outside() -> None:
    chains = {chain.name: chain for chain in network.load_balancer_table().chains}
    texts = [rule.text for rule in chains["postrouting"].rules]
    assert texts == ['oif != "lo" ip saddr 127.0.0.0/8 masquerade']
