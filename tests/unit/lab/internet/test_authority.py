"""Certificates of the simulated Internet, and the bundle through which pods trust them."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from bookmesh.lab.internet import authority


def test_the_authority_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = authority.Authority.ensure(tmp_path / "internet")
    assert authority.Authority.ensure(tmp_path / "internet").certificate == first.certificate
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "internet").iterdir()} == {0o600}


def test_a_server_has_a_certificate_for_all_its_names(tmp_path: Path) -> None:
    signer = authority.Authority.ensure(tmp_path)
    long = "a" * 63 + ".example"
    issued = x509.load_pem_x509_certificate(signer.issue([long, "*.b.example"]).certificate.encode())
    issued.verify_directly_issued_by(x509.load_pem_x509_certificate(signer.certificate))
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [long, "*.b.example"]


def test_an_authority_of_another_kind_is_refused(tmp_path: Path) -> None:
    authority.Authority.ensure(tmp_path)
    (tmp_path / "ca.pem").write_text("not a key")
    with pytest.raises(ValueError, match="PEM"):
        authority.Authority.ensure(tmp_path)


def test_the_bundle_is_the_hosts_own_and_ours(tmp_path: Path) -> None:
    own = authority.Authority.ensure(tmp_path / "own")
    hosts = tmp_path / "host.crt"
    hosts.write_bytes(authority.Authority.ensure(tmp_path / "other").certificate.rstrip())
    bundle = tmp_path / "bundle.crt"
    over = authority.write_bundle(bundle, own, bundles=[str(tmp_path / "missing.crt"), str(hosts)])
    assert over == [str(hosts)]
    assert len(ssl.create_default_context(cafile=str(bundle)).get_ca_certs()) == 2


def test_a_host_without_a_bundle_gives_ours_alone(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.crt"
    assert authority.write_bundle(bundle, authority.Authority.ensure(tmp_path / "own"), bundles=[]) == []
    assert len(ssl.create_default_context(cafile=str(bundle)).get_ca_certs()) == 1
