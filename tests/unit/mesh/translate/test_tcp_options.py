"""Options of TCP connections."""

from __future__ import annotations

from typing import Any

import msgspec

from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.translate import tcp_options, traffic_policies
from bookmesh.mesh.wire import listener as wire


def built(**policy: Any) -> wire.TcpProxy:
    level = msgspec.convert(policy, destination_rules.TrafficPolicy)
    effective = traffic_policies.EffectivePolicy(
        load_balancer=level.load_balancer, connection_pool=level.connection_pool, tunnel=level.tunnel
    )
    proxy = wire.TcpProxy()
    tcp_options.options_for(effective).apply(proxy)
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
