from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bookmesh.mesh.identity import certificates

NOW = datetime.now(UTC).replace(microsecond=0)
IDENTITY = "spiffe://cluster.local/ns/default/sa/sleep"


@pytest.fixture(scope="module")
def root():
    return certificates.build_root("cluster.local", now=NOW)


@pytest.fixture(scope="module")
def leaf(root):
    return certificates.build_leaf(root, IDENTITY, now=NOW)


def parsed(leaf: certificates.WorkloadCertificate) -> x509.Certificate:
    return x509.load_pem_x509_certificates(leaf.chain)[0]


def test_the_root_signs_leaves_only_and_lives_ten_years(root):
    constraints = root.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    assert root.certificate.not_valid_after_utc - NOW == timedelta(days=3650)
    assert isinstance(root.key.curve, ec.SECP256R1)


def test_a_leaf_has_an_empty_subject_and_a_critical_spiffe_name(leaf):
    certificate = parsed(leaf)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(certificate.subject) == []
    assert names.critical
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [IDENTITY]


def test_a_leaf_serves_both_ends_for_a_day_and_is_renewed_at_half_of_it(leaf):
    certificate = parsed(leaf)
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {usage._name for usage in usages} == {"serverAuth", "clientAuth"}
    assert leaf.not_after == NOW + timedelta(hours=24)
    assert leaf.renew_at == NOW + timedelta(hours=12)


def test_the_chain_is_leaf_then_root_and_verifies(root, leaf):
    chain = x509.load_pem_x509_certificates(leaf.chain)
    assert chain[1] == root.certificate
    chain[0].verify_directly_issued_by(root.certificate)


def test_two_leaves_share_no_key(root, leaf):
    assert certificates.build_leaf(root, IDENTITY, now=NOW).key != leaf.key


def test_a_root_survives_being_written_and_read(root):
    again = certificates.load_key_pair(root.certificate_pem(), root.key_pem())
    certificates.build_leaf(again, IDENTITY, now=NOW)
    assert again.certificate == root.certificate


def test_a_key_of_another_certificate_is_refused(root):
    other = certificates.build_root("cluster.local", now=NOW)
    with pytest.raises(ValueError, match="does not belong"):
        certificates.load_key_pair(root.certificate_pem(), other.key_pem())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_accepts_a_leaf_as_client_and_server(leaf, tmp_path):
    (tmp_path / "root.pem").write_bytes(leaf.root)
    (tmp_path / "leaf.pem").write_bytes(leaf.chain)
    for purpose in ("sslclient", "sslserver"):
        verify = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "root.pem", "leaf.pem"]
        done = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
