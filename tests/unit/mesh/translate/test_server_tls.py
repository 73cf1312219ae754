"""TLS towards clients of a gateway."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.snapshot.test_gateways import gateway, server

from bookmesh.mesh.model import gateways as models
from bookmesh.mesh.snapshot import credentials, gateways
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import server_tls
from bookmesh.mesh.wire import tls


def build(protocol: str = "HTTPS", **settings: Any) -> tls.DownstreamTlsContext:
    parsed = gateway(server(443, protocol=protocol) | {"tls": settings})
    assert isinstance(parsed.spec, models.Gateway)
    found = gateways.GatewayServer("apps/main", parsed.ref, parsed.digest, 0, parsed.spec.servers[0])
    socket = server_tls.build(found, MeshSettings())
    return tls.DownstreamTlsContext.FromString(socket.typed_config.value)


def test_http_offers_h2_and_tcp_offers_nothing() -> None:
    assert list(build(mode="SIMPLE", credentialName="c").common_tls_context.alpn_protocols) == [
        "h2",
        "http/1.1",
    ]
    assert not build("TLS", mode="SIMPLE", credentialName="c").common_tls_context.alpn_protocols


def test_versions_and_ciphers_are_those_of_the_server() -> None:
    found = build(
        mode="SIMPLE",
        credentialName="c",
        minProtocolVersion="TLSV1_1",
        maxProtocolVersion="TLSV1_2",
        cipherSuites=["ECDHE-RSA-AES128-GCM-SHA256"],
    ).common_tls_context.tls_params
    assert found.tls_minimum_protocol_version == tls.TlsParameters.TLSv1_1
    assert found.tls_maximum_protocol_version == tls.TlsParameters.TLSv1_2
    assert list(found.cipher_suites) == ["ECDHE-RSA-AES128-GCM-SHA256"]


def test_mutual_requires_what_optional_only_asks_for() -> None:
    required, asked = (build(mode=mode, credentialName="c") for mode in ("MUTUAL", "OPTIONAL_MUTUAL"))
    assert (required.require_client_certificate.value, asked.require_client_certificate.value) == (
        True,
        False,
    )
    for context in (required.common_tls_context, asked.common_tls_context):
        sds = context.combined_validation_context.validation_context_sds_secret_config
        assert sds.name == "kubernetes://c-cacert"


def test_files_are_used_without_a_secret() -> None:
    files = {"serverCertificate": "/c", "privateKey": "/k", "caCertificates": "/ca"}
    found = build(mode="MUTUAL", **files).common_tls_context
    assert found.tls_certificates[0].certificate_chain.filename == "/c"
    assert found.validation_context.trusted_ca.filename == "/ca"


def test_problem_names_the_secret() -> None:
    settings = models.ServerTls(mode="MUTUAL", credential_name="c", ca_cert_credential_name="d")
    found = server_tls.problem_with(settings, "edge", credentials.Credentials())
    assert found == 'secret "c" does not exist'
