"""What a Service port speaks."""

from __future__ import annotations

import pytest

from bookmesh.mesh.registry.protocols import Protocol, protocol_for


@pytest.mark.parametrize(
    ("name", "app_protocol", "number", "expected"),
    [
        ("http", None, 80, Protocol.HTTP),
        ("http-web", None, 80, Protocol.HTTP),
        ("HTTP2-x", None, 80, Protocol.HTTP2),
        ("grpc-web-x", None, 80, Protocol.GRPC_WEB),
        ("grpc", None, 80, Protocol.GRPC),
        ("https", None, 443, Protocol.HTTPS),
        ("tcp-echo", None, 9000, Protocol.TCP),
        ("web", None, 80, Protocol.AUTO),
        ("httpweb", None, 80, Protocol.AUTO),
        ("", None, 80, Protocol.AUTO),
        ("", None, 3306, Protocol.TCP),
        ("http", "tcp", 80, Protocol.TCP),
        ("x", "kubernetes.io/h2c", 80, Protocol.HTTP2),
        ("x", "kubernetes.io/wss", 80, Protocol.HTTPS),
        ("tcp", "example.com/unknown", 80, Protocol.AUTO),
    ],
)
def test_app_protocol_wins_over_the_prefix_of_the_name(
    name: str, app_protocol: str | None, number: int, expected: Protocol
) -> None:
    assert protocol_for(name=name, app_protocol=app_protocol, number=number) is expected


def test_inside_of_tls_is_what_it_carries() -> None:
    inside = {protocol: protocol.inside_tls for protocol in Protocol if protocol.is_tls}
    assert inside == {
        Protocol.HTTPS: Protocol.HTTP,
        Protocol.TLS: Protocol.TCP,
    }
    assert Protocol.GRPC.inside_tls is Protocol.GRPC


def test_udp_is_udp_whatever_its_name() -> None:
    assert protocol_for(name="http", transport="UDP") is Protocol.UDP
