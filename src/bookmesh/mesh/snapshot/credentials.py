"""
Certificates that people put into Kubernetes Secrets, for gateways and for TLS to services outside the mesh.

Two spellings count: that of `kubectl create secret tls` (`tls.crt`, `tls.key`, `ca.crt`) and the generic one (`cert`,
`key`, `cacert`). Certificates with which others are verified may live in a Secret of their own, `NAME-cacert`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from bookmesh.base.kubernetes import JsonObject

CA_SUFFIX: Final = "-cacert"
_SCHEME: Final = "kubernetes-gateway://"
_SPELLINGS: Final = (("tls.crt", "tls.key", "ca.crt"), ("cert", "key", "cacert"))


def reference(namespace: str, name: str) -> str:
    """A name that says itself in which namespace the Secret is."""
    return f"{_SCHEME}{namespace}/{name}"


def is_reference(name: str) -> bool:
    return name.startswith(_SCHEME)


def located(namespace: str, name: str) -> tuple[str, str]:
    """The namespace and the bare name of a Secret; `namespace` counts when the name does not say."""
    if not is_reference(name):
        return namespace, name
    where, _, bare = name.removeprefix(_SCHEME).partition("/")
    return where, bare


@dataclass(frozen=True, slots=True)
class Credential:
    """
    PEM texts of one Secret, each empty when the Secret lacks it. `problem` says why they cannot be used, "" when they
    can; then they are empty.
    """

    name: str
    namespace: str
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    trusted: bytes = b""
    problem: str = ""

    @property
    def has_pair(self) -> bool:
        return bool(self.certificate and self.key)


@dataclass(frozen=True, slots=True)
class Credentials:
    """All Secrets that hold certificates, by namespace and name."""

    found: Mapping[tuple[str, str], Credential] = field(default_factory=dict)

    def pair(self, namespace: str, name: str) -> Credential | None:
        """The certificate and key of one name."""
        credential = self.found.get(located(namespace, name))
        return credential if credential is not None and credential.has_pair else None

    def trusted(self, namespace: str, name: str) -> bytes:
        """The certificates with which peers are verified: of `NAME-cacert`, else of `NAME` itself; b"" if none."""
        namespace, name = located(namespace, name)
        for candidate in (f"{name.removesuffix(CA_SUFFIX)}{CA_SUFFIX}", name.removesuffix(CA_SUFFIX)):
            credential = self.found.get((namespace, candidate))
            if credential is not None and credential.trusted:
                return credential.trusted
        return b""

    def problem(self, namespace: str, name: str, *, needs_pair: bool, needs_trusted: bool) -> str:
        """Why a name cannot be used, in words that go on after "secret NAME"; "" when it can."""
        namespace, name = located(namespace, name)
        credential = self.found.get((namespace, name))
        if credential is not None and credential.problem:
            return credential.problem
        if needs_pair and (credential is None or not credential.has_pair):
            return "does not exist" if credential is None else "has no tls.crt and tls.key"
        if needs_trusted and not self.trusted(namespace, name):
            return (
                f"has no ca.crt, and there is no secret {name}{CA_SUFFIX}" if credential else "does not exist"
            )
        return ""

    def names_in(self, namespace: str) -> Iterator[str]:
        return (name for where, name in self.found if where == namespace)

    def named(self, names: Iterable[str]) -> list[Credential]:
        """Credentials of these names, with the ones that go with them, in every namespace."""
        bare = [located("", given)[1] for given in names]
        wanted = {
            name for given in bare for name in (given, f"{given}{CA_SUFFIX}", given.removesuffix(CA_SUFFIX))
        }
        return [credential for (_, name), credential in self.found.items() if name in wanted]


def build_credentials(credentials: Iterable[Credential | None]) -> Credentials:
    """Index what `parse_secret` gave."""
    ordered = sorted((c for c in credentials if c is not None), key=lambda c: (c.namespace, c.name))
    return Credentials({(credential.namespace, credential.name): credential for credential in ordered})


def parse_secret(secret: JsonObject) -> Credential | None:
    """Read a Secret; None when it holds nothing that looks like certificates."""
    metadata, data = secret["metadata"], secret.get("data") or {}
    name, namespace = metadata["name"], metadata.get("namespace", "default")
    if str(secret.get("type", "")).startswith(("kubernetes.io/service-account", "bootstrap.")):
        return None
    for spelling in _SPELLINGS:
        if not any(key in data for key in spelling):
            continue
        try:
            certificate, key, trusted = (
                base64.b64decode(data.get(name) or "", validate=True) for name in spelling
            )
            _check(certificate, key, trusted)
        except (ValueError, TypeError, binascii.Error) as error:
            return Credential(name, namespace, problem=f"cannot be used: {error}")
        return Credential(name, namespace, certificate, key, trusted)
    return None


def _check(certificate: bytes, key: bytes, trusted: bytes) -> None:
    """
    Refuse what an Envoy would refuse.

    Raises:
        ValueError: a text is no PEM, or key and certificate do not belong together.
    """
    for text, what in ((certificate, "certificate"), (trusted, "CA certificate")):
        if text:
            try:
                x509.load_pem_x509_certificates(text)
            except ValueError as error:
                raise ValueError(f"its {what} is no PEM certificate") from error
    if not key:
        return
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("its key is no unencrypted PEM key") from error
    if certificate and x509.load_pem_x509_certificates(certificate)[0].public_key() != private.public_key():
        raise ValueError("its key does not belong to its certificate")
