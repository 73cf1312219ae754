"""Certificates as Envoy secrets, under the names Istio's configuration refers to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from bookmesh.mesh.identity.certificates import WorkloadCertificate
from bookmesh.mesh.snapshot.snapshot import MeshSnapshot, credential_names
from bookmesh.mesh.translate import naming
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources
from bookmesh.mesh.xds.resources import Encoded

WORKLOAD: Final = "default"
ROOT: Final = "ROOTCA"


def build_secrets(certificate: WorkloadCertificate) -> dict[str, Encoded]:
    """Build the secrets of the mesh's own certificates, by name."""
    workload = secret_pb2.Secret(name=WORKLOAD)
    workload.tls_certificate.certificate_chain.inline_bytes = certificate.chain
    workload.tls_certificate.private_key.inline_bytes = certificate.key
    root = secret_pb2.Secret(name=ROOT)
    root.validation_context.trusted_ca.inline_bytes = certificate.root
    return _encode((workload, root))


def build_credentials(snapshot: MeshSnapshot, namespace: str) -> dict[str, Encoded]:
    """
    Build the secrets that gateways of one namespace may need: those of this namespace that some Gateway or
    DestinationRule names, as `kubernetes://NAME` and `kubernetes://NAME-cacert`.
    """
    secrets: list[secret_pb2.Secret] = []
    credentials = snapshot.credentials
    for name in sorted(credential_names(snapshot.configs, namespace)):
        pair = credentials.pair(namespace, name)
        if pair is not None:
            secret = secret_pb2.Secret(name=naming.pair_secret(name))
            secret.tls_certificate.certificate_chain.inline_bytes = pair.certificate
            secret.tls_certificate.private_key.inline_bytes = pair.key
            secrets.append(secret)
        trusted = credentials.trusted(namespace, name)
        if trusted:
            secret = secret_pb2.Secret(name=naming.trusted_secret(name))
            secret.validation_context.trusted_ca.inline_bytes = trusted
            secrets.append(secret)
    return _encode(secrets)


def _encode(secrets: Iterable[secret_pb2.Secret]) -> dict[str, Encoded]:
    return {
        secret.name: resources.encode(
            type_urls.SECRET, secret.name, secret.SerializeToString(deterministic=True)
        )
        for secret in secrets
    }
