"""BM0205: servers of Gateways with protocols that are not served."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import unserved_protocols


def test_only_http_is_served() -> None:
    servers = [
        {"port": {"number": number, "name": protocol, "protocol": protocol}, "hosts": ["*"]}
        for number, protocol in ((80, "HTTP"), (443, "https"), (9000, "TCP"), (8080, "grpc"))
    ]
    found = unserved_protocols.check(small.snapshot(small.istio("Gateway", servers=servers)))
    assert [(finding.code, finding.where) for finding in found] == [
        ("BM0205", "spec.servers[1].port.protocol"),
        ("BM0205", "spec.servers[2].port.protocol"),
    ]
