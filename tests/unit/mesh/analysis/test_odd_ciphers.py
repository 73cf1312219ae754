"""BM0213: cipher suites and curves that are left out."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import odd_ciphers


def test_what_is_left_out_is_named() -> None:
    tls = {
        "mode": "SIMPLE",
        "credentialName": "web",
        "cipherSuites": ["AES128-SHA", "ROT13"],
        "ecdhCurves": ["P-256"],
    }
    port = {"number": 443, "name": "https", "protocol": "HTTPS"}
    gateway = small.istio("Gateway", servers=[{"port": port, "hosts": ["*"], "tls": tls}])
    (finding,) = odd_ciphers.check(small.snapshot(gateway))
    assert (finding.code, finding.where) == ("BM0213", "spec.servers[0].tls.cipherSuites")
    assert "ROT13, which" in finding.message
