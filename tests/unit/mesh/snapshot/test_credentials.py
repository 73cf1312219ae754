"""Certificates in Secrets."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bookmesh.mesh.identity import certificates
from bookmesh.mesh.identity.authority import current_time
from bookmesh.mesh.snapshot import credentials

ROOT = certificates.build_root("example.org", now=current_time())
LEAF = certificates.build_leaf(ROOT, "spiffe://example.org/x", now=current_time())


def secret(name: str = "web", **data: bytes) -> dict[str, Any]:
    encoded = {key.replace("_", "."): base64.b64encode(text).decode() for key, text in data.items()}
    return {"metadata": {"name": name, "namespace": "edge"}, "data": encoded}


@pytest.mark.parametrize(
    "data",
    [
        {"tls_crt": LEAF.chain, "tls_key": LEAF.key, "ca_crt": LEAF.root},
        {"cert": LEAF.chain, "key": LEAF.key, "cacert": LEAF.root},
    ],
)
def test_both_spellings_are_read(data: dict[str, bytes]) -> None:
    found = credentials.parse_secret(secret(**data))
    assert found == credentials.Credential("web", "edge", LEAF.chain, LEAF.key, LEAF.root)
    assert "PRIVATE" not in repr(found)


def test_other_secrets_are_none_of_ours() -> None:
    assert credentials.parse_secret(secret(password=b"x")) is None
    token = secret(ca_crt=LEAF.root) | {"type": "kubernetes.io/service-account-token"}
    assert credentials.parse_secret(token) is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"tls_crt": b"x", "tls_key": LEAF.key}, "its certificate is no PEM certificate"),
        ({"tls_crt": LEAF.chain, "tls_key": b"x"}, "its key is no unencrypted PEM key"),
        ({"tls_crt": LEAF.chain, "tls_key": ROOT.key_pem()}, "its key does not belong to its certificate"),
        ({"ca_crt": b"x"}, "its CA certificate is no PEM certificate"),
    ],
)
def test_what_an_envoy_would_refuse_is_a_problem(data: dict[str, bytes], problem: str) -> None:
    found = credentials.build_credentials([credentials.parse_secret(secret(**data))])
    assert found.problem("edge", "web", needs_pair=True, needs_trusted=False) == f"cannot be used: {problem}"
    assert found.pair("edge", "web") is None


def test_certificates_to_verify_with_may_live_apart() -> None:
    pair = credentials.parse_secret(secret(tls_crt=LEAF.chain, tls_key=LEAF.key))
    apart = credentials.parse_secret(secret("web-cacert", cacert=LEAF.root))
    alone, both = credentials.build_credentials([pair]), credentials.build_credentials([pair, apart])
    assert alone.problem("edge", "web", needs_pair=True, needs_trusted=True).startswith("has no ca.crt")
    assert both.problem("edge", "web", needs_pair=True, needs_trusted=True) == ""
    assert both.trusted("edge", "web") == both.trusted("edge", "web-cacert") == LEAF.root
    assert both.problem("default", "web", needs_pair=True, needs_trusted=False) == "does not exist"
    assert [found.name for found in both.named(["web"])] == ["web", "web-cacert"]
