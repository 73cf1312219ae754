"""Certificates for one run: authorities that live as long as it does, and server certificates as Secrets."""

from __future__ import annotations

import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFETIME = datetime.timedelta(hours=6)
_SKEW = datetime.timedelta(minutes=5)


class Authority:
    """A certificate authority whose key is never written anywhere."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of a task")])
        certificate = (
            _begin(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue_secret(self, *, name: str, namespace: str, hosts: tuple[str, ...]) -> dict[str, Any]:
        """
        Issue a certificate for `hosts` (at least one) and build the Secret of type kubernetes.io/tls; `ca.crt` in it is
        the authority's own, with which to verify others.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _begin(
                x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])]),
                self._name,
                key.public_key(),
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "type": "kubernetes.io/tls",
            "stringData": {
                "tls.crt": certificate.public_bytes(serialization.Encoding.PEM).decode(),
                "tls.key": private.decode(),
                "ca.crt": self.pem,
            },
        }


def _begin(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    serial = x509.random_serial_number()
    return x509.CertificateBuilder(issuer, subject, public_key, serial, now - _SKEW, now + _LIFETIME)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
