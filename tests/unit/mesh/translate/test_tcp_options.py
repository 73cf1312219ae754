"""Options of TCP connections."""

from __future__ import annotations

from typing import Any

import msgspec

from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.translate import tcp_options
from bookmesh.mesh.wire import listener as wire


def built(subset: dict[str, Any] | None = None, **policy: Any) -> wire.TcpProxy:
    """The proxy to a host with this policy, or to a subset of it with its own."""
    found = policies.HostPolicy(
        traffic_policy=msgspec.convert(policy, destination_rules.TrafficPolicy),
        subsets=()
        if subset is None
        else (msgspec.convert({"name": "v1", "trafficPolicy": subset}, destination_rules.Subset),),
    )
    proxy = wire.TcpProxy()
    tcp_options.options_for(found, subset="" if subset is None else "v1").apply(proxy)
    return proxy


def test_without_policy_nothing_is_set() -> None:
    assert built() == wire.TcpProxy()


def test_times_limit_single_connections() -> None:
    proxy = built(connectionPool={"tcp": {"idleTimeout": "5s", "maxConnectionDuration": "1m"}})
    assert (proxy.idle_timeout.seconds, proxy.max_downstream_connection_duration.seconds) == (5, 60)


def test_only_the_callers_address_can_be_hashed() -> None:
    assert len(built(loadBalancer={"consistentHash": {"useSourceIp": True}}).hash_policy) == 1
    assert len(built(loadBalancer={"consistentHash": {"httpHeaderName": "x"}}).hash_policy) == 0


def test_tunnels_are_opened_by_connect_or_post() -> None:
    for protocol, uses_post in (("CONNECT", False), ("", False), ("POST", True)):
        proxy = built(tunnel={"targetHost": "a.b", "targetPort": 443, "protocol": protocol})
        tunnel = proxy.tunneling_config
        assert (tunnel.hostname, tunnel.use_post) == ("a.b:443", uses_post)


def test_what_is_said_about_one_port_is_not_for_connections() -> None:
    five = {"tcp": {"idleTimeout": "5s"}}
    nine = {"port": {"number": 80}, "connectionPool": {"tcp": {"idleTimeout": "9s"}}}
    assert built(connectionPool=five, portLevelSettings=[nine]).idle_timeout.seconds == 5
    assert built(portLevelSettings=[nine]) == wire.TcpProxy()


def test_a_subset_has_the_hosts_times_and_its_own_hash_and_tunnel() -> None:
    sticky = {"consistentHash": {"useSourceIp": True}}
    tunnel = {"targetHost": "a.b", "targetPort": 443}
    times = {"tcp": {"idleTimeout": "5s"}}
    assert (
        built({"connectionPool": {"tcp": {"idleTimeout": "9s"}}}, connectionPool=times).idle_timeout.seconds
        == 5
    )
    assert len(built({}, loadBalancer=sticky).hash_policy) == 1
    assert len(built({"loadBalancer": {"simple": "RANDOM"}}, loadBalancer=sticky).hash_policy) == 0
    assert not built({}, tunnel=tunnel).HasField("tunneling_config")
    assert built({"tunnel": tunnel}).tunneling_config.hostname == "a.b:443"
