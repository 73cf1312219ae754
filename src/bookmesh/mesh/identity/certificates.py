"""
Certificates as Istio issues them: an ECDSA P-256 root, and leaves that carry a SPIFFE id and nothing else.

A leaf has an empty subject, so its URI name is critical (RFC 5280, 4.2.1.6). Keys are never written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_LIFETIME: Final = timedelta(days=3650)
LEAF_LIFETIME: Final = timedelta(hours=24)
CLOCK_SKEW: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def key_pem(self) -> bytes:
        """The key as unencrypted PKCS 8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, slots=True)
class WorkloadCertificate:
    """PEM texts for one workload. `chain` is leaf then root; a new one is due at `renew_at`, half of its life."""

    spiffe_id: str
    chain: bytes
    key: bytes
    root: bytes
    not_after: datetime
    renew_at: datetime


def build_root(trust_domain: str, *, now: datetime) -> KeyPair:
    """Make a new self-signed root that may sign leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain)])
    builder = (
        _builder(name, name, key.public_key(), now=now, lifetime=ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return KeyPair(builder.sign(key, hashes.SHA256()), key)


def build_leaf(root: KeyPair, spiffe_id: str, *, now: datetime) -> WorkloadCertificate:
    """Issue a certificate with a new key that is good for both ends of a connection."""
    key = ec.generate_private_key(ec.SECP256R1())
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(x509.Name([]), root.certificate.subject, key.public_key(), now=now, lifetime=LEAF_LIFETIME)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(spiffe_id)]), critical=True
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()),
            critical=False,
        )
    )
    leaf = KeyPair(builder.sign(root.key, hashes.SHA256()), key)
    root_pem = root.certificate_pem()
    return WorkloadCertificate(
        spiffe_id=spiffe_id,
        chain=leaf.certificate_pem() + root_pem,
        key=leaf.key_pem(),
        root=root_pem,
        not_after=leaf.certificate.not_valid_after_utc,
        renew_at=now + LEAF_LIFETIME / 2,
    )


def load_key_pair(certificate_pem: bytes, key_pem: bytes) -> KeyPair:
    """
    Read a root back.

    Raises:
        ValueError: the texts are no PEM, the key is not ECDSA, or the two do not belong together.
    """
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    key = serialization.load_pem_private_key(key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is not an elliptic-curve key")
    if certificate.public_key() != key.public_key():
        raise ValueError("the key does not belong to the certificate")
    return KeyPair(certificate, key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """A root signs certificates and revocation lists; a leaf signs handshakes."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
