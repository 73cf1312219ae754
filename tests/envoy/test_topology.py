"""A real Envoy as a gateway behind others, as MeshConfig's `gatewayTopology` says."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from pathlib import Path

from tests.envoy import gateways

CERTIFICATE = "By=spiffe://elsewhere/a;URI=spiffe://elsewhere/b"


def _ask(port: int, first: bytes) -> dict[str, str]:
    """What the application sees of a request on a connection that begins with `first`, by names in lower case."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(
            first
            + b"GET / HTTP/1.1\r\nHost: one\r\nX-Forwarded-Client-Cert: %s\r\n\r\n" % CERTIFICATE.encode()
        )
        response = http.client.HTTPResponse(connection)
        response.begin()
        headers: dict[str, str] = json.loads(response.read())["headers"]
    return {name.lower(): value for name, value in headers.items()}


def test_the_caller_is_who_the_load_balancer_says_and_its_certificate_goes_along(tmp_path: Path) -> None:
    with gateways.running(Path(__file__).with_name("topology.yaml"), tmp_path) as gateway:
        seen = _ask(gateway.ports[80], b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n")
        assert seen["x-forwarded-for"] == "192.0.2.7"
        assert seen["x-forwarded-client-cert"] == CERTIFICATE
        with socket.create_connection(("127.0.0.1", gateway.ports[80]), timeout=60) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: one\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(100) == b""
