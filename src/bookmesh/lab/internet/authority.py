"""
The certificates of the simulated Internet, and how pods come to trust them.

The authority is made once a lab. What pods see as their bundle of trusted certificates is the host's own with this one
added, so that a program needs no option to trust simulated hosts, and any option of its own still counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bookmesh.lab import keys, signing

# Where programs look for the certificates they trust; which of them a host has depends on its distribution.
BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_SUBJECT: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bookmesh simulated Internet")])


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """A server's certificate and key as PEM."""

    certificate: str
    key: str


class Authority:
    """Signs for the hosts of one lab."""

    def __init__(self, certificate: bytes, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def ensure(cls, directory: Path) -> Authority:
        """Make the authority in `directory`, or read the one that is there."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = directory / "ca.pem"
        if kept.exists():
            content = kept.read_bytes()
            key = serialization.load_pem_private_key(content, None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{kept} holds no key of the kind that labs make")
            return cls(x509.load_pem_x509_certificate(content).public_bytes(serialization.Encoding.PEM), key)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = signing.sign(
            subject=_SUBJECT,
            issuer=_SUBJECT,
            key=key,
            signer=key,
            extensions=[
                (x509.BasicConstraints(ca=True, path_length=0), True),
                (signing.key_usage(is_authority=True), True),
            ],
        )
        keys.write_private(kept, certificate + signing.private_pem(key))
        return cls(certificate, key)

    def issue(self, names: Sequence[str]) -> ServerKeys:
        """Issue a certificate for a server; names may be wildcards."""
        key = ec.generate_private_key(ec.SECP256R1())
        plain = [name for name in names if len(name) <= 64]
        certificate = signing.sign(
            subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in plain[:1]]),
            issuer=_SUBJECT,
            key=key,
            signer=self._key,
            extensions=[
                (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
                (signing.key_usage(is_authority=False), True),
            ],
        )
        return ServerKeys(certificate.decode(), signing.private_pem(key).decode())


def find_bundle() -> str | None:
    """Where this host, and so a pod, has the certificates it trusts."""
    return next((text for text in BUNDLES if Path(text).is_file()), None)


def write_bundle(path: Path, authority: Authority, *, bundles: Sequence[str] = BUNDLES) -> list[str]:
    """
    Write the bundle for pods.

    Returns:
        Those of `bundles` that the host has, where pods have to see it instead.
    """
    there = [text for text in bundles if Path(text).is_file()]
    content = Path(there[0]).read_bytes().rstrip() + b"\n" if there else b""
    path.write_bytes(content + authority.certificate)
    path.chmod(0o644)
    return there
