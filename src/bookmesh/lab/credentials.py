"""
Make the lab's own keys: a certificate authority for its API server, one client certificate, and the kubeconfig.

Everything is made on the first `up` and kept, so that a kubeconfig stays valid when the lab comes back. Files are 0600.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bookmesh.lab import keys

ADMIN_USER = "bookmesh-admin"
ADMIN_GROUP = "system:masters"
_VALID = datetime.timedelta(days=3650)
_SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


def ensure(directory: Path, *, addresses: tuple[str, ...]) -> keys.Keys:
    """
    Make what is missing in `directory`; what is there is kept.

    Args:
        addresses: IP addresses that the API server's certificate is valid for.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    credentials = keys.Keys(directory)
    names = (credentials.authority, credentials.server, credentials.admin, credentials.token_key)
    if all(path.exists() for path in names):
        return credentials
    authority_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bookmesh lab")])
    authority = _sign(
        subject=subject,
        issuer=subject,
        key=authority_key,
        signer=authority_key,
        extensions=[
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (_key_usage(is_authority=True), True),
        ],
    )
    alternatives = [x509.DNSName(name) for name in _SERVER_NAMES]
    alternatives_ip = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _sign(
        subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")]),
        issuer=subject,
        key=server_key,
        signer=authority_key,
        extensions=[
            (x509.SubjectAlternativeName([*alternatives, *alternatives_ip]), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (_key_usage(is_authority=False), True),
        ],
    )
    admin_key = ec.generate_private_key(ec.SECP256R1())
    admin = _sign(
        subject=x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, ADMIN_GROUP),
                x509.NameAttribute(NameOID.COMMON_NAME, ADMIN_USER),
            ]
        ),
        issuer=subject,
        key=admin_key,
        signer=authority_key,
        extensions=[
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
            (_key_usage(is_authority=False), True),
        ],
    )
    keys.write_private(credentials.authority, authority)
    keys.write_private(credentials.server, server + _private_pem(server_key))
    keys.write_private(credentials.admin, admin + _private_pem(admin_key))
    keys.write_private(credentials.token_key, _private_pem(ec.generate_private_key(ec.SECP256R1())))
    return credentials


def write_kubeconfig(path: Path, credentials: keys.Keys, *, context: str, server: str) -> None:
    """Write a kubeconfig with one cluster, user and context, all called `context`."""
    admin = credentials.admin.read_bytes()
    certificate, _, key = admin.partition(b"-----BEGIN PRIVATE KEY-----")
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "preferences": {},
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": _base64(credentials.authority.read_bytes()),
                },
            }
        ],
        "users": [
            {
                "name": context,
                "user": {
                    "client-certificate-data": _base64(certificate),
                    "client-key-data": _base64(b"-----BEGIN PRIVATE KEY-----" + key),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }
    keys.write_private(path, yaml.safe_dump(document, sort_keys=False).encode())


def _sign(
    *,
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
