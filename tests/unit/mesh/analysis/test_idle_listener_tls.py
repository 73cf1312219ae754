"""BM0421: TLS of a Sidecar's listener on a port that has the mesh's own."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.base.findings import Finding
from bookmesh.mesh.analysis import idle_listener_tls

POD = {
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
    "spec": {"containers": []},
    "status": {"podIP": "10.0.0.1"},
}
TLS = {"mode": "SIMPLE", "serverCertificate": "/a.crt", "privateKey": "/a.key"}


def check(*objects: dict[str, Any], **listener: Any) -> list[Finding]:
    port = {"number": 9443, "protocol": "HTTPS", "name": "x"}
    sidecar = small.istio("Sidecar", ingress=[{"port": port, **listener}])
    return list(idle_listener_tls.check(small.snapshot(sidecar, *objects)))


def disabled(port: str) -> dict[str, Any]:
    made = small.istio(
        "PeerAuthentication",
        selector={"matchLabels": {"app": "web"}},
        portLevelMtls={port: {"mode": "DISABLE"}},
    )
    return {**made, "apiVersion": "security.istio.io/v1"}


def test_tls_beside_that_of_the_mesh_is_told_with_the_way_out() -> None:
    (finding,) = check(POD, tls=TLS)
    assert (finding.code, finding.where) == ("BM0421", "spec.ingress[0].tls")
    assert "PERMISSIVE" in finding.message
    assert "9443: {mode: DISABLE}" in finding.hint
    assert len(check(POD, disabled("80"), tls=TLS)) == 1


def test_tls_where_the_mesh_has_none_is_fine_and_so_is_no_tls_or_no_pod() -> None:
    assert check(POD, disabled("9443"), tls=TLS) == []
    assert check(POD) == []
    assert check(tls=TLS) == []
