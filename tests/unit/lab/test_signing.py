"""Certificates that the lab issues itself."""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bookmesh.lab import signing

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])


def test_a_certificate_has_its_extensions_and_is_valid_now() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = (signing.key_usage(is_authority=True), True)
    made = x509.load_pem_x509_certificate(
        signing.sign(subject=NAME, issuer=NAME, key=key, signer=key, extensions=[usage])
    )
    made.verify_directly_issued_by(made)
    now = datetime.datetime.now(datetime.UTC)
    assert made.not_valid_before_utc < now < made.not_valid_after_utc
    found = made.extensions.get_extension_for_class(x509.KeyUsage)
    assert (found.critical, found.value.key_cert_sign, found.value.digital_signature) == (True, True, False)


def test_a_key_is_written_without_a_password() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    loaded = serialization.load_pem_private_key(signing.private_pem(key), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert loaded.private_numbers() == key.private_numbers()
