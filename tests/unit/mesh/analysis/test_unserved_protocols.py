"""BM0205: servers of Gateways with protocols that are not served."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import unserved_protocols


def test_what_no_gateway_serves_is_named() -> None:
    servers = [
        {"port": {"number": number, "name": protocol, "protocol": protocol}, "hosts": ["*"]}
        for number, protocol in ((80, "HTTP"), (9000, "TCP"), (8080, "grpc"), (9001, "ODD"))
    ]
    port = {"number": 15443, "name": "tls", "protocol": "TLS"}
    servers.append({"port": port, "hosts": ["*"], "tls": {"mode": "AUTO_PASSTHROUGH"}})
    found = unserved_protocols.check(small.snapshot(small.istio("Gateway", servers=servers)))
    assert [(finding.code, finding.where) for finding in found] == [
        ("BM0205", "spec.servers[3].port.protocol")
    ]
