"""Limits on connections and requests: `connectionPool` of a DestinationRule and of a Sidecar."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from bookmesh.base import durations
from bookmesh.mesh.model.base import Count, Duration, Model, check_lasting

_LONGEST_KEEPALIVE_S: Final = 32_767  # Linux' limit, as is the next one
_MOST_PROBES: Final = 127


class TcpKeepalive(Model, frozen=True):
    """
    Probes on idle connections.

    probes: Unanswered probes after which a connection is dead.
    time: How long a connection is idle before the first probe.
    interval: The time between probes.
    """

    probes: Annotated[int, msgspec.Meta(ge=0, le=_MOST_PROBES)] = 0
    time: Duration | None = None
    interval: Duration | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_lasting(time=self.time, interval=self.interval)
        for name, text in (("time", self.time), ("interval", self.interval)):
            if text is not None and durations.parse_duration_s(text) > _LONGEST_KEEPALIVE_S:
                raise ValueError(f"{name} of tcpKeepalive must be at most {_LONGEST_KEEPALIVE_S}s")


class TcpSettings(Model, frozen=True):
    """
    Limits for all connections.

    max_connections: Connections to the service at most.
    connect_timeout: How long a connection may take to be made; 10s without it.
    tcp_keepalive: Probes on idle connections.
    max_connection_duration: The longest life of a connection.
    idle_timeout: When an idle TCP connection is closed.
    """

    max_connections: Count = 0
    connect_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    max_connection_duration: Duration | None = None
    idle_timeout: Duration | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_lasting(connectTimeout=self.connect_timeout, maxConnectionDuration=self.max_connection_duration)


class Http2Keepalive(Model, frozen=True):
    """
    HTTP/2 pings.

    interval: The time between pings.
    timeout: How long an answer may take; it must be said.
    """

    interval: Duration | None = None
    timeout: Duration | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        # Envoy's limits, which Istio leaves to it.
        if self.timeout is None:
            raise ValueError("http2KeepAlive needs a timeout")
        check_lasting(interval=self.interval, timeout=self.timeout)


class HttpSettings(Model, frozen=True):
    """
    Limits for HTTP.

    http1_max_pending_requests: Requests that may wait for a connection.
    http2_max_requests: Requests that may be active.
    max_requests_per_connection: Requests after which a connection is closed; 1 switches keep-alive off.
    max_retries: Retries that may be active.
    idle_timeout: When an idle connection is closed.
    h2_upgrade_policy: Whether HTTP/1.1 becomes HTTP/2.
    use_client_protocol: Whether the caller's HTTP version is kept.
    max_concurrent_streams: Streams on one HTTP/2 connection.
    http2_keep_alive: HTTP/2 pings.
    """

    http1_max_pending_requests: Count = 0
    http2_max_requests: Count = 0
    max_requests_per_connection: Count = 0
    max_retries: Count = 0
    idle_timeout: Duration | None = None
    h2_upgrade_policy: Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"] | None = None
    use_client_protocol: bool = False
    max_concurrent_streams: Count = 0
    http2_keep_alive: Http2Keepalive | None = None


class ConnectionPool(Model, frozen=True):
    """
    Limits on connections and requests: the circuit breaker.

    tcp: Limits for all connections.
    http: Limits for HTTP.
    """

    tcp: TcpSettings | None = None
    http: HttpSettings | None = None
