"""
Make the lab's own keys: a certificate authority for its API server, one client certificate, and the kubeconfig.

Everything is made on the first `up` and kept, so that a kubeconfig stays valid when the lab comes back. Files are 0600.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bookmesh.lab import keys, signing

ADMIN_USER = "bookmesh-admin"
ADMIN_GROUP = "system:masters"
FRONT_PROXY_USER = "front-proxy-client"
_AUTHORITY: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bookmesh lab")])
_FRONT_PROXY_AUTHORITY: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "front-proxy-ca")])
_SERVER_NAMES: Final = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


def ensure(directory: Path, *, addresses: tuple[str, ...]) -> keys.Keys:
    """
    Make what is missing in `directory`; what is there is kept.

    Args:
        addresses: IP addresses that the API server's certificate is valid for.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = keys.Keys(directory)
    ensure_front_proxy(made)
    files = (made.authority, made.authority_key, made.server, made.admin, made.token_key)
    if all(path.exists() for path in files):
        return made
    authority_key = ec.generate_private_key(ec.SECP256R1())
    keys.write_private(made.authority, _issue_authority(authority_key))
    keys.write_private(made.authority_key, signing.private_pem(authority_key))
    keys.write_private(made.server, _issue_server(authority_key, addresses))
    keys.write_private(made.admin, _issue_admin(authority_key))
    keys.write_private(made.token_key, signing.private_pem(ec.generate_private_key(ec.SECP256R1())))
    return made


def ensure_front_proxy(made: keys.Keys) -> None:
    """Make what servers of aggregated APIs know the API server by: an authority of its own, which signs nobody else."""
    if made.front_proxy.exists() and made.front_proxy_authority.exists():
        return
    authority_key = ec.generate_private_key(ec.SECP256R1())
    client = _issue(
        authority_key,
        issuer=_FRONT_PROXY_AUTHORITY,
        subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, FRONT_PROXY_USER)]),
        extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)],
    )
    keys.write_private(made.front_proxy_authority, _issue_authority(authority_key, _FRONT_PROXY_AUTHORITY))
    keys.write_private(made.front_proxy, client)


def _issue_authority(authority_key: ec.EllipticCurvePrivateKey, name: x509.Name = _AUTHORITY) -> bytes:
    return signing.sign(
        subject=name,
        issuer=name,
        key=authority_key,
        signer=authority_key,
        extensions=[
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (signing.key_usage(is_authority=True), True),
        ],
    )


def _issue_server(authority_key: ec.EllipticCurvePrivateKey, addresses: Sequence[str]) -> bytes:
    names = [
        *(x509.DNSName(name) for name in _SERVER_NAMES),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
    ]
    return _issue(
        authority_key,
        subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")]),
        extensions=[
            (x509.SubjectAlternativeName(names), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        ],
    )


def _issue_admin(authority_key: ec.EllipticCurvePrivateKey) -> bytes:
    """The API server takes a certificate's organization for a group, and its common name for the user."""
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, ADMIN_GROUP)
    return _issue(
        authority_key,
        subject=x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, ADMIN_USER)]),
        extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)],
    )


def _issue(
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    subject: x509.Name,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    issuer: x509.Name = _AUTHORITY,
) -> bytes:
    """Make a key and a certificate for it; returns both as PEM, the certificate first."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = signing.sign(
        subject=subject,
        issuer=issuer,
        key=key,
        signer=authority_key,
        extensions=[*extensions, (signing.key_usage(is_authority=False), True)],
    )
    return certificate + signing.private_pem(key)


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
