"""A workload's certificate and the mesh's root as Envoy secrets, under the names Istio's configuration refers to."""

from __future__ import annotations

from typing import Final

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from bookmesh.mesh.identity.certificates import WorkloadCertificate
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources
from bookmesh.mesh.xds.resources import Encoded

WORKLOAD: Final = "default"
ROOT: Final = "ROOTCA"


def build_secrets(certificate: WorkloadCertificate) -> dict[str, Encoded]:
    """Build both secrets, by name."""
    workload = secret_pb2.Secret(name=WORKLOAD)
    workload.tls_certificate.certificate_chain.inline_bytes = certificate.chain
    workload.tls_certificate.private_key.inline_bytes = certificate.key
    root = secret_pb2.Secret(name=ROOT)
    root.validation_context.trusted_ca.inline_bytes = certificate.root
    return {
        secret.name: resources.encode(
            type_urls.SECRET, secret.name, secret.SerializeToString(deterministic=True)
        )
        for secret in (workload, root)
    }
