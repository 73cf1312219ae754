from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from bookmesh.mesh.identity.authority import CertificateAuthority

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_new_authority_keeps_its_key_to_itself(tmp_path):
    CertificateAuthority.open(tmp_path / "ca")
    key = tmp_path / "ca" / "ca-key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ca").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (tmp_path / "ca").iterdir()) == ["ca-cert.pem", "ca-key.pem"]


def test_a_restart_trusts_the_same_root(tmp_path):
    first = CertificateAuthority.open(tmp_path)
    second = CertificateAuthority.open(tmp_path)
    issued = second.issue(namespace="default", service_account="sleep")
    leaf = x509.load_pem_x509_certificates(issued.chain)[0]
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(first.root_pem))
    assert issued.spiffe_id == "spiffe://cluster.local/ns/default/sa/sleep"


def test_a_crash_before_the_certificate_was_written_starts_anew(tmp_path):
    (tmp_path / "ca-key.pem").write_bytes(b"half")
    CertificateAuthority.open(tmp_path).issue(namespace="default", service_account="sleep")
    CertificateAuthority.open(tmp_path)


def test_a_damaged_authority_is_reported_and_not_replaced(tmp_path):
    CertificateAuthority.open(tmp_path)
    (tmp_path / "ca-key.pem").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="is damaged"):
        CertificateAuthority.open(tmp_path)
    (tmp_path / "ca-key.pem").unlink()
    with pytest.raises(ValueError, match="is damaged"):
        CertificateAuthority.open(tmp_path)


def test_an_authority_past_its_end_is_reported(tmp_path):
    CertificateAuthority.open(tmp_path, clock=lambda: NOW)
    with pytest.raises(ValueError, match="no longer valid"):
        CertificateAuthority.open(tmp_path, clock=lambda: NOW + timedelta(days=3651))


def test_certificates_follow_the_clock(tmp_path):
    authority = CertificateAuthority.open(tmp_path, clock=lambda: NOW)
    issued = authority.issue(namespace="default", service_account="sleep")
    assert issued.renew_at == NOW + timedelta(hours=12)
