"""
Make the lab's own keys: a certificate authority for its API server, one client certificate, and the kubeconfig.

Everything is made on the first `up` and kept, so that a kubeconfig stays valid when the lab comes back. Files are 0600.
"""

from __future__ import annotations

import base64
import ipaddress
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bookmesh.lab import keys, signing

ADMIN_USER = "bookmesh-admin"
ADMIN_GROUP = "system:masters"
_SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


def ensure(directory: Path, *, addresses: tuple[str, ...]) -> keys.Keys:
    """
    Make what is missing in `directory`; what is there is kept.

    Args:
        addresses: IP addresses that the API server's certificate is valid for.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    credentials = keys.Keys(directory)
    names = (
        credentials.authority,
        credentials.authority_key,
        credentials.server,
        credentials.admin,
        credentials.token_key,
    )
    if all(path.exists() for path in names):
        return credentials
    authority_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bookmesh lab")])
    authority = signing.sign(
        subject=subject,
        issuer=subject,
        key=authority_key,
        signer=authority_key,
        extensions=[
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (signing.key_usage(is_authority=True), True),
        ],
    )
    alternatives = [x509.DNSName(name) for name in _SERVER_NAMES]
    alternatives_ip = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = signing.sign(
        subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")]),
        issuer=subject,
        key=server_key,
        signer=authority_key,
        extensions=[
            (x509.SubjectAlternativeName([*alternatives, *alternatives_ip]), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (signing.key_usage(is_authority=False), True),
        ],
    )
    admin_key = ec.generate_private_key(ec.SECP256R1())
    admin = signing.sign(
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
            (signing.key_usage(is_authority=False), True),
        ],
    )
    keys.write_private(credentials.authority, authority)
    keys.write_private(credentials.authority_key, signing.private_pem(authority_key))
    keys.write_private(credentials.server, server + signing.private_pem(server_key))
    keys.write_private(credentials.admin, admin + signing.private_pem(admin_key))
    keys.write_private(credentials.token_key, signing.private_pem(ec.generate_private_key(ec.SECP256R1())))
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


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
