from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from bookmesh.lab import credentials, keys


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> keys.Keys:
    return credentials.ensure(tmp_path_factory.mktemp("lab") / "pki", addresses=("127.0.0.1", "10.96.0.1"))


def test_every_file_is_private(made: keys.Keys) -> None:
    assert made.directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.directory.iterdir()} == {0o600}


def test_the_authority_signed_server_and_admin(made: keys.Keys) -> None:
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    for path in (made.server, made.admin):
        x509.load_pem_x509_certificate(path.read_bytes()).verify_directly_issued_by(authority)


def test_the_server_certificate_is_for_the_given_addresses(made: keys.Keys) -> None:
    certificate = x509.load_pem_x509_certificate(made.server.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "10.96.0.1"]
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)


def test_what_is_there_is_kept(made: keys.Keys) -> None:
    before = made.server.read_bytes()
    credentials.ensure(made.directory, addresses=("127.0.0.1",))
    assert made.server.read_bytes() == before


def test_the_kubeconfig_holds_certificate_and_key(made: keys.Keys, tmp_path: Path) -> None:
    target = tmp_path / "kubeconfig"
    credentials.write_kubeconfig(target, made, context="bookmesh", server="https://127.0.0.1:6443")
    config = yaml.safe_load(target.read_text())
    user = config["users"][0]["user"]
    assert config["current-context"] == "bookmesh"
    assert base64.b64decode(user["client-certificate-data"]).startswith(b"-----BEGIN CERTIFICATE-----")
    assert base64.b64decode(user["client-key-data"]).startswith(b"-----BEGIN PRIVATE KEY-----")
    assert target.stat().st_mode & 0o777 == 0o600
