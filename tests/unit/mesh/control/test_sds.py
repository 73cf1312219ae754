from __future__ import annotations

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2

from bookmesh.mesh.control import sds
from bookmesh.mesh.identity.authority import CertificateAuthority


def decode(encoded):
    response = discovery_pb2.DeltaDiscoveryResponse.FromString(encoded.chunk)
    secret = secret_pb2.Secret()
    assert response.resources[0].resource.Unpack(secret)
    return secret


def test_a_workload_gets_its_certificate_and_the_root(tmp_path):
    certificate = CertificateAuthority.open(tmp_path).issue(namespace="default", service_account="sleep")
    secrets = {name: decode(encoded) for name, encoded in sds.build_secrets(certificate).items()}
    assert secrets.keys() == {"default", "ROOTCA"}
    assert secrets["default"].tls_certificate.certificate_chain.inline_bytes == certificate.chain
    assert secrets["default"].tls_certificate.private_key.inline_bytes == certificate.key
    assert secrets["ROOTCA"].validation_context.trusted_ca.inline_bytes == certificate.root
