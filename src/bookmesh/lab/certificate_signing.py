"""
Signs what CertificateSigningRequests ask for, with the key of the lab's authority.

Three of Kubernetes' signers are played: for clients of the API server, for kubelets as clients, and for what kubelets
serve. Each gives certificates for its own purpose alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bookmesh.kube.api.strategies import certificate_requests
from bookmesh.kube.api.strategies.certificate_requests import SigningError
from bookmesh.lab import keys

_LONGEST_S: Final = 365 * 24 * 3600
_BACKDATED: Final = datetime.timedelta(minutes=5)
_NODES: Final = "system:nodes"
_NODE: Final = "system:node:"


class _Purpose(NamedTuple):
    """What a signer gives: a usage that must be asked for, and whether it is for nodes alone."""

    usage: str
    is_for_nodes: bool = False


_PURPOSES: Final = {
    certificate_requests.CLIENT: _Purpose("client auth"),
    "kubernetes.io/kube-apiserver-client-kubelet": _Purpose("client auth", is_for_nodes=True),
    "kubernetes.io/kubelet-serving": _Purpose("server auth", is_for_nodes=True),
}
_EXTENDED: Final = {
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
}


class CertificateSigner:
    """Implements `certificate_requests.Signer`; the key is read when the first certificate is signed."""

    def __init__(self, own: keys.Keys) -> None:
        self._keys = own

    def groups_in(self, request: bytes) -> Sequence[str]:
        """The organizations that a request names."""
        return _values(_parsed(request), NameOID.ORGANIZATION_NAME)

    def sign(
        self, request: bytes, *, signer_name: str, usages: Sequence[str], lifetime_s: int | None
    ) -> bytes | None:
        """Return a PEM certificate; None when the signer is not played here."""
        purpose = _PURPOSES.get(signer_name)
        if purpose is None:
            return None
        parsed = _parsed(request)
        _check(purpose, parsed, usages)
        authority = x509.load_pem_x509_certificate(self._keys.authority.read_bytes())
        key = serialization.load_pem_private_key(self._keys.authority_key.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SigningError("the key of the lab's authority is of another kind")
        now = datetime.datetime.now(datetime.UTC)
        lifetime = datetime.timedelta(seconds=min(lifetime_s or _LONGEST_S, _LONGEST_S))
        builder = (
            x509.CertificateBuilder()
            .subject_name(parsed.subject)
            .issuer_name(authority.subject)
            .public_key(parsed.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(usages), critical=True)
            .add_extension(x509.ExtendedKeyUsage([_EXTENDED[purpose.usage]]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
        )
        names = _alternative_names(parsed)
        if names is not None and purpose.usage == "server auth":
            builder = builder.add_extension(names, critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _parsed(request: bytes) -> x509.CertificateSigningRequest:
    try:
        parsed = x509.load_pem_x509_csr(request)
    except ValueError as error:
        raise SigningError(f"unable to parse csr: {error}") from error
    if not parsed.is_signature_valid:
        raise SigningError("unable to parse csr: its signature is not good")
    return parsed


def _values(parsed: x509.CertificateSigningRequest, kind: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in parsed.subject.get_attributes_for_oid(kind)]


def _alternative_names(parsed: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName | None:
    try:
        return parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _check(purpose: _Purpose, parsed: x509.CertificateSigningRequest, usages: Sequence[str]) -> None:
    allowed = {purpose.usage, "digital signature", "key encipherment"}
    if purpose.usage not in usages or set(usages) - allowed:
        raise SigningError(f"usages did not match {sorted(allowed)}")
    if not purpose.is_for_nodes:
        return
    if _values(parsed, NameOID.ORGANIZATION_NAME) != [_NODES]:
        raise SigningError(f"subject organization is not {_NODES}")
    if not any(name.startswith(_NODE) for name in _values(parsed, NameOID.COMMON_NAME)):
        raise SigningError(f"subject common name does not begin with {_NODE}")
    if (purpose.usage == "server auth") != (_alternative_names(parsed) is not None):
        raise SigningError("subjectAltNames are for serving certificates, and only for them")


def _key_usage(usages: Sequence[str]) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature="digital signature" in usages,
        content_commitment=False,
        key_encipherment="key encipherment" in usages,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
