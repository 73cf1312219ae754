"""TLS towards peers, servers and clients."""

from __future__ import annotations

from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import transport_sockets
from bookmesh.mesh.wire import tls


def upstream(socket: object) -> tls.UpstreamTlsContext:
    return tls.UpstreamTlsContext.FromString(socket.typed_config.value)  # type: ignore[attr-defined]


def test_peer_must_prove_one_of_the_accepted_identities() -> None:
    context = upstream(transport_sockets.mesh_upstream(sni="name", accepted_ids=["spiffe://a", "spiffe://b"]))
    validation = context.common_tls_context.combined_validation_context
    matchers = validation.default_validation_context.match_typed_subject_alt_names
    assert [matcher.matcher.exact for matcher in matchers] == ["spiffe://a", "spiffe://b"]
    assert validation.validation_context_sds_secret_config.name == "ROOTCA"
    assert context.sni == "name"


def test_client_must_come_from_the_trust_domain() -> None:
    socket = transport_sockets.mesh_downstream(trust_domains=["example.org"], is_http=True)
    context = tls.DownstreamTlsContext.FromString(socket.typed_config.value)
    validation = context.common_tls_context.combined_validation_context.default_validation_context
    assert validation.match_typed_subject_alt_names[0].matcher.prefix == "spiffe://example.org/"
    assert context.require_client_certificate.value is True


def test_server_outside_is_verified_unless_told_otherwise() -> None:
    def build(**fields: object) -> tls.CommonTlsContext:
        settings = destination_rules.ClientTls(mode="SIMPLE", **fields)  # type: ignore[arg-type]
        socket = transport_sockets.origination(
            settings,
            is_http2=False,
            names=(),
            mesh=MeshSettings(ca_certificates="/ca.pem"),
            uses_secrets=False,
        )
        return upstream(socket).common_tls_context

    assert build().validation_context.trusted_ca.filename == "/ca.pem"
    assert build(ca_certificates="/own.pem").validation_context.trusted_ca.filename == "/own.pem"
    assert not build(insecure_skip_verify=True).HasField("validation_context")


def test_gateway_takes_certificates_from_a_secret_and_a_sidecar_from_files() -> None:
    settings = destination_rules.ClientTls(
        mode="MUTUAL", credential_name="client", client_certificate="/c.pem", private_key="/k.pem"
    )

    def build(*, uses_secrets: bool) -> tls.CommonTlsContext:
        socket = transport_sockets.origination(
            settings,
            is_http2=False,
            names=("a.b",),
            mesh=MeshSettings(ca_certificates="/ca.pem"),
            uses_secrets=uses_secrets,
        )
        return upstream(socket).common_tls_context

    secrets, files = build(uses_secrets=True), build(uses_secrets=False)
    assert secrets.tls_certificate_sds_secret_configs[0].name == "kubernetes://client"
    combined = secrets.combined_validation_context
    assert combined.validation_context_sds_secret_config.name == "kubernetes://client-cacert"
    assert combined.default_validation_context.match_typed_subject_alt_names[0].matcher.exact == "a.b"
    assert files.tls_certificates[0].private_key.filename == "/k.pem"
    assert files.validation_context.trusted_ca.filename == "/ca.pem"
