from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509

from bookmesh.tasks import certificates


def test_a_certificate_is_for_its_hosts_and_signed_by_its_authority() -> None:
    authority = certificates.Authority("ca")
    secret = authority.issue_secret(name="s", namespace="n", hosts=("a.example", "b.example"))
    assert (secret["type"], secret["metadata"]) == ("kubernetes.io/tls", {"name": "s", "namespace": "n"})
    leaf = x509.load_pem_x509_certificate(secret["stringData"]["tls.crt"].encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pem.encode()))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "b.example"]


def test_a_client_can_trust_the_authority_and_a_server_use_the_pair(tmp_path: Path) -> None:
    authority = certificates.Authority("ca")
    pair = authority.issue_secret(name="s", namespace="n", hosts=("a.example",))["stringData"]
    (tmp_path / "crt").write_text(pair["tls.crt"])
    (tmp_path / "key").write_text(pair["tls.key"])
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "crt", tmp_path / "key")
    assert pair["ca.crt"] == authority.pem
    assert ssl.create_default_context(cadata=authority.pem).cert_store_stats()["x509_ca"] == 1


def test_authorities_of_the_same_name_differ() -> None:
    assert certificates.Authority("ca").pem != certificates.Authority("ca").pem
