"""What a DestinationRule says about single TCP connections: how long they live, where they stick, and tunnels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.snapshot import policies
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import messages


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """Times are as in the YAML, None for Envoy's own; `is_sticky` sends a caller's connections to the same endpoint."""

    idle_timeout: str | None = None
    longest_life: str | None = None
    is_sticky: bool = False
    tunnel: destination_rules.Tunnel | None = None

    def apply(self, proxy: wire.TcpProxy) -> None:
        if self.idle_timeout is not None:
            proxy.idle_timeout.CopyFrom(messages.duration(parse_duration_s(self.idle_timeout)))
        if self.longest_life is not None:
            life = messages.duration(parse_duration_s(self.longest_life))
            proxy.max_downstream_connection_duration.CopyFrom(life)
        if self.is_sticky:
            proxy.hash_policy.add().source_ip.SetInParent()
        if self.tunnel is not None:
            proxy.tunneling_config.hostname = f"{self.tunnel.target_host}:{self.tunnel.target_port}"
            proxy.tunneling_config.use_post = self.tunnel.protocol == "POST"


NO_OPTIONS: Final = TcpOptions()


def options_for(policy: policies.HostPolicy, *, subset: str = "") -> TcpOptions:
    """
    Read the options of connections to a service, or to a subset of it.

    They belong to the listener and not to a cluster, so what a rule says about single ports does not count, and of what
    it says about a subset only load balancer and tunnel do.

    Source: DestinationRule `trafficPolicy.connectionPool.tcp`, `loadBalancer.consistentHash.useSourceIp`, `tunnel`.
    """
    whole = policy.traffic_policy or destination_rules.TrafficPolicy()
    found = policy.subset(subset) if subset else None
    own = (found.traffic_policy if found is not None else None) or destination_rules.TrafficPolicy()
    tcp = whole.connection_pool.tcp if whole.connection_pool is not None else None
    balancer = own.load_balancer or whole.load_balancer
    hashing = balancer.consistent_hash if balancer is not None else None
    return TcpOptions(
        idle_timeout=tcp.idle_timeout if tcp is not None else None,
        longest_life=tcp.max_connection_duration if tcp is not None else None,
        is_sticky=hashing is not None and bool(hashing.use_source_ip),
        tunnel=own.tunnel if subset else whole.tunnel,
    )
